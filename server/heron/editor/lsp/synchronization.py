"""textDocument/didOpen, didChange, didClose, didSave."""

from lsprotocol import types

from heron.editor.lsp.session import Session


def open_document(session: Session, params: types.DidOpenTextDocumentParams) -> None:
    session.documents.open(params.text_document)
    session.indexing.note_change(params.text_document.uri)


def change_document(session: Session, params: types.DidChangeTextDocumentParams) -> None:
    session.documents.change(params.text_document, params.content_changes, session.encoding)
    session.indexing.note_change(params.text_document.uri)


def close_document(session: Session, params: types.DidCloseTextDocumentParams) -> None:
    session.documents.close(params.text_document.uri)
    session.forget(params.text_document.uri)
    session.indexing.note_change(params.text_document.uri)


def save_document(session: Session, params: types.DidSaveTextDocumentParams) -> None:
    """Accepted: some clients send it to every server."""
