"""What the editor tells of completions it showed. It is kept on this machine, as numbers; nothing leaves it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from heron.editor.document import Document, Position
from heron.editor.features.timings import Timings
from heron.editor.lsp.protocol import DidDismissCompletionParams
from heron.editor.lsp.session import Session

if TYPE_CHECKING:
    from heron.editor.stats.ledger import Offer
    from heron.editor.stats.store import Surface

ACCEPTED = "heron.completionAccepted"
"""The command of an item: its one argument is the key of the offer."""


def note_offered(
    session: Session, cursor: tuple[Document, Position], text: str, timings: Timings, surface: "Surface" = "inline"
) -> types.Command | None:
    """Remember an item, its text as it begins at a position; the command by which its acceptance is told."""
    ledger = session.ledger
    if ledger is None:
        return None
    from heron.editor.stats.ledger import Offer
    from heron.editor.stats.store import Record

    document, start = cursor
    record = Record(document.language, surface, len(text), timings.total_ms)
    offer = Offer(document.uri, text, document.offset(start), record)
    offer = ledger.offer(offer, goes_on=timings.outcome == "typed_through")
    return types.Command("Accepted", ACCEPTED, arguments=[offer.key])


def note_shown(session: Session, params: Any) -> None:
    """Params that are not as the convention has them are ignored, here and below."""
    if session.ledger is not None and isinstance(text := _text_of(params), str):
        session.ledger.show(text)


def note_partly_accepted(session: Session, params: Any) -> None:
    text, length = _text_of(params), _member(params, "acceptedLength")
    if session.ledger is None or not isinstance(text, str) or type(length) is not int or length <= 0:
        return
    if offer := session.ledger.find(text):
        taken = text.encode("utf-16-le", "surrogatepass")[: 2 * length].decode("utf-16-le", "ignore")
        _accept(session, offer, len(taken))


def note_dismissed(session: Session, params: DidDismissCompletionParams) -> None:
    """What is shown in a document was sent away; where nothing was ever offered that means nothing."""
    session.dismiss(params.textDocument.uri)


async def note_accepted(session: Session, name: str, params: types.ExecuteCommandParams) -> None:
    """The command of an item was run: all of it was taken."""
    key = params.arguments[0] if params.arguments else None
    if session.ledger is not None and (offer := session.ledger.find_key(key)):
        _accept(session, offer, len(offer.text))


def _accept(session: Session, offer: "Offer", length: int) -> None:
    if session.ledger is not None:
        session.ledger.accept(offer, length, session.documents.get(offer.uri))


def _text_of(params: Any) -> Any:
    text = _member(_member(params, "item"), "insertText")
    return text if isinstance(text, str) else _member(text, "value")


def _member(value: Any, name: str) -> Any:
    """A member of params that came as an object or as a mapping; None without it."""
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
