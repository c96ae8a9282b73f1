"""Signs of where the cursor is: the model reads the place while it rests there. heron/didChangeCursor is our own.

Other clients tell by asking for code actions, which editors do at each move, and by opening a document.
"""

import asyncio
from functools import partial

from lsprotocol import types

from heron.editor.document import Document, Position
from heron.editor.lsp.convert import to_position
from heron.editor.lsp.lifecycle import load_completions
from heron.editor.lsp.protocol import DidChangeCursorParams
from heron.editor.lsp.session import Session

_PATIENCE_S = 60.0
"""How long a cursor waits for a model that is being loaded."""
_SMALL = 3
"""Characters for each token of the prompt; a document with no more fits as a whole."""


def change_cursor(session: Session, params: DidChangeCursorParams) -> None:
    note_cursor(session, params.textDocument.uri, params.position)


def note_cursor(session: Session, uri: str, place: types.Position) -> None:
    """The cursor was seen at a place; of a document that is not open that means nothing."""
    if document := session.documents.get(uri):
        session.trail.note(document, place.line)
        _rest(session, document, to_position(document, place, session.encoding))


def note_opened(session: Session, uri: str) -> None:
    """A document was opened, nobody knows where; all of a small one will stand above or below any cursor."""
    document = session.documents.get(uri)
    if document and len(document.text) <= _SMALL * session.settings.completion.prefix_tokens:
        _rest(session, document, document.position(len(document.text)))


def _rest(session: Session, document: Document, position: Position) -> None:
    settings = session.settings.completion
    if settings.enabled and settings.warm:
        if session.resting is not None:
            session.resting.cancel()
        session.resting = asyncio.create_task(_tell_completer(session, document, position))


async def _tell_completer(session: Session, document: Document, position: Position) -> None:
    await asyncio.to_thread(load_completions)
    from heron.editor.features.ask import Ask

    wait_ready = partial(session.watch.wait_ready, _PATIENCE_S)
    session.completer.rest(Ask(document, position, session.settings.completion, wait_ready))
