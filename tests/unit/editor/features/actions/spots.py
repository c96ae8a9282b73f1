"""Places in code and models that answer as told, for tests of actions."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

from heron.editor.client.chat_ask import ChatAsk
from heron.editor.client.client import Infill
from heron.editor.diagnostic import Diagnostic
from heron.editor.document import Document, Range
from heron.editor.features.actions.proposal import Proposal
from heron.editor.features.actions.spot import Spot
from heron.editor.syntax.languages import load_languages
from heron.editor.syntax.tree import parse
from heron.wire import Delta, ModelInfo

URI = "file:///work/shop/cart"


def spot_in(language: str, marked: str, message: str = "") -> Spot:
    """A cursor at │, or a selection between two of them; with a message, its diagnostic is there."""
    text = marked.replace("│", "")
    known = load_languages()[language]
    document = Document(URI + known.extensions[0], 3, known.ids[0], text)
    first = marked.index("│")
    last = marked.rindex("│") - (marked.count("│") - 1)
    place = Range(document.position(first), document.position(last))
    diagnostics = (Diagnostic(place, message),) if message else ()
    return Spot(document, place, parse(document), diagnostics)


def changed(spot: Spot, proposal: Proposal) -> str:
    """The document after a proposal that changes only it."""
    (change,) = proposal.changes
    assert (change.uri, change.version) == (spot.document.uri, spot.document.version)
    return spot.document.edited(change.edits).text


@dataclass
class Model:
    """A source that answers by functions of what it is asked; `asked` and `holes` record it."""

    chat_answer: Callable[[ChatAsk], str] = lambda ask: ""
    filling: Callable[[Infill], str] = lambda infill: ""
    asked: list[ChatAsk] = field(default_factory=list)
    holes: list[Infill] = field(default_factory=list)

    async def model(self) -> ModelInfo:
        return ModelInfo("told", 4096, supports_fim=True, supports_chat=True)

    async def complete(self, infill: Infill) -> AsyncGenerator[Delta, None]:
        self.holes.append(infill)
        yield Delta(text=self.filling(infill), finish_reason="stop")

    async def chat(self, ask: ChatAsk) -> AsyncGenerator[Delta, None]:
        self.asked.append(ask)
        yield Delta(text=self.chat_answer(ask), finish_reason="stop")
