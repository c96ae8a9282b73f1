"""What tools may look at, for one editor: its workspace, open documents, diagnostics and index."""

import asyncio
from contextlib import suppress

from heron.editor.document import Document
from heron.editor.lsp.session import Session
from heron.editor.tools.tool import Scene
from heron.errors import HeronError

_PATIENCE_S = 20.0


def open_scene(session: Session) -> Scene:
    """The scene as it is now; documents and diagnostics are read when a tool asks for them."""
    return Scene(
        session.workspace,
        session.documents.snapshots,
        lambda uri: session.diagnostics.get(uri, ()),
        session.index,
    )


async def open_scanned_scene(session: Session) -> Scene:
    """The scene once the workspace was looked through, or after a while without that."""
    await wait_scanned(session)
    return open_scene(session)


async def wait_scanned(session: Session) -> None:
    """Wait until the workspace was looked through, or for a while."""
    if not session.indexing.is_scanned:
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                await session.indexing.settle()


def find_document(session: Session, uri: str) -> Document | None:
    """The text of a URI as it is open, else as it is on disk inside the workspace; None if it cannot be had."""
    from heron.editor.tools.texts import find_text

    document = session.documents.get(uri)
    if document is not None:
        return document
    try:
        return find_text(open_scene(session), uri).document
    except HeronError:
        return None
