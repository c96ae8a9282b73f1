"""How much of a document is asked with: all of the window where the server has read it, else little at first."""

import asyncio
from collections.abc import AsyncGenerator

from heron.editor.client.client import Infill
from heron.editor.context.surroundings import Surroundings
from heron.editor.document import Document, Position
from heron.editor.features.ask import Ask
from heron.editor.features.complete import Completer
from heron.editor.features.timings import Timings
from heron.settings import CompletionSettings
from heron.wire import Delta, ModelInfo, Usage

LONG = "".join(f"value_{number} = compute_the_next(value_{number - 1}, {number})\n" for number in range(200))


class Source:
    """Answers at once, and has `read` set by each answer in the background."""

    def __init__(self) -> None:
        self.asked: list[Infill] = []
        self.read = asyncio.Event()

    async def model(self) -> ModelInfo:
        return ModelInfo("m", 4096, supports_fim=True)

    async def complete(self, infill: Infill) -> AsyncGenerator[Delta, None]:
        self.asked.append(infill)
        yield Delta("a + b\n", finish_reason="stop", usage=Usage(10, 3, 0))
        if infill.priority == "background":
            self.read.set()


async def ready() -> bool:
    return True


def ask(line: int = 150, typed: str = "") -> Ask:
    lines = LONG.splitlines(keepends=True)
    text = "".join([*lines[:line], typed + "\n", *lines[line:]])
    document = Document("file:///a.py", 1, "python", text)
    return Ask(document, Position(line, len(typed)), CompletionSettings(ahead=False), ready)


async def window(completer: Completer, asked: Ask) -> str:
    timings = Timings()
    assert await completer.complete(asked, timings)
    return timings.window


async def test_a_cold_place_is_asked_briefly_read_and_then_asked_in_full() -> None:
    source = Source()
    completer = Completer(source, Surroundings(lambda: None))
    assert await window(completer, ask()) == "short"
    await source.read.wait()
    await asyncio.sleep(0)
    assert await window(completer, ask(typed="x = ")) == "full"
    assert [infill.priority for infill in source.asked] == ["completion", "background", "completion"]
    completer.close()


async def test_a_place_where_the_cursor_rested_is_asked_in_full_at_once() -> None:
    source = Source()
    completer = Completer(source, Surroundings(lambda: None))
    completer.rest(ask())
    await source.read.wait()
    await asyncio.sleep(0)
    assert await window(completer, ask(typed="x = ")) == "full"
    completer.close()


async def test_small_documents_are_asked_in_full() -> None:
    source = Source()
    completer = Completer(source, Surroundings(lambda: None))
    document = Document("file:///b.py", 1, "python", "x = 1\ny = ")
    assert await window(completer, Ask(document, Position(1, 4), CompletionSettings(ahead=False), ready)) == "full"
    completer.close()
