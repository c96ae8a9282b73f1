"""textDocument/didOpen, didChange, didClose, didSave."""

from lsprotocol import types

from heron.editor.lsp.changes import refresh_changes
from heron.editor.lsp.cursor import note_opened
from heron.editor.lsp.session import Session

Whole = types.TextDocumentContentChangeWholeDocument


def open_document(session: Session, params: types.DidOpenTextDocumentParams) -> None:
    session.documents.open(params.text_document)
    session.indexing.note_change(params.text_document.uri)
    note_opened(session, params.text_document.uri)


def change_document(session: Session, params: types.DidChangeTextDocumentParams) -> None:
    uri = params.text_document.uri
    followed = session.ledger is not None and session.ledger.is_following(uri)
    before = session.documents.get(uri) if followed else None
    session.documents.change(params.text_document, params.content_changes, session.encoding)
    if before is not None and session.ledger is not None and (now := session.documents.get(uri)) is not None:
        session.ledger.change(before, now)
    session.indexing.note_change(params.text_document.uri)
    _note_edits(session, params)


def close_document(session: Session, params: types.DidCloseTextDocumentParams) -> None:
    session.documents.close(params.text_document.uri)
    session.forget(params.text_document.uri)
    session.indexing.note_change(params.text_document.uri)


def save_document(session: Session, params: types.DidSaveTextDocumentParams) -> None:
    """The file itself is noticed by watching; what changed since the last commit is asked of git."""
    refresh_changes(session)


def _note_edits(session: Session, params: types.DidChangeTextDocumentParams) -> None:
    """The last edit is where the user is."""
    document = session.documents.get(params.text_document.uri)
    places = [one.range.start.line for one in params.content_changes if not isinstance(one, Whole)]
    if document is not None and places:
        session.trail.note(document, places[-1])
