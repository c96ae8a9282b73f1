"""workspace/didChangeWatchedFiles and workspace/didChangeWorkspaceFolders."""

from lsprotocol import types

from heron.editor.lsp.session import Session


def change_files(session: Session, params: types.DidChangeWatchedFilesParams) -> None:
    """Bring the index up to what changed on disk."""
    for change in params.changes:
        session.indexing.note_change(change.uri)


def change_folders(session: Session, params: types.DidChangeWorkspaceFoldersParams) -> None:
    """pygls keeps the folders; what is made of them is made anew."""
    session.start_indexing()
