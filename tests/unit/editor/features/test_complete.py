"""How much of a document is asked with: all of the window where the server has read it, else little at first."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from heron.editor.client.client import Infill
from heron.editor.context.surroundings import Surroundings
from heron.editor.document import Document, Position
from heron.editor.features.ask import Ask
from heron.editor.features.complete import Completer
from heron.editor.features.timings import Timings
from heron.settings import CompletionSettings
from heron.wire import Delta, ModelInfo, TokenLogprob, Usage

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
        yield Delta("value_1 + value_2\n", finish_reason="stop", usage=Usage(10, 3, 0))
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


class Drawn:
    """Answers by the seed that is asked with; 0 is the likeliest answer."""

    def __init__(self, *answers: str) -> None:
        self._answers = answers
        self.seeds: list[int] = []

    async def model(self) -> ModelInfo:
        return ModelInfo("m", 4096, supports_fim=True)

    async def complete(self, infill: Infill) -> AsyncGenerator[Delta, None]:
        self.seeds.append(infill.seed)
        text, logprob = self._answers[infill.seed], -0.1 - infill.seed
        yield Delta(text, logprobs=(TokenLogprob(text, 1, logprob),), finish_reason="stop")


async def fill_block(source: Drawn, least_chance: float = 0.0) -> tuple[str, ...]:
    document = Document("file:///b.py", 1, "python", "def f(x):\n    \n    return total\n")
    settings = CompletionSettings(ahead=False, warm=False, alternatives=2, least_chance=least_chance)
    completer = Completer(source, Surroundings(lambda: None))
    texts = await completer.complete(Ask(document, Position(1, 4), settings, ready), Timings())
    completer.close()
    return texts


@pytest.mark.parametrize(
    ("answers", "offered", "num_asked"),
    [
        (("total = x", "", ""), ("total = x",), 1),
        (("total = = x", "count = x", "total = 2"), ("total = 2",), 3),
        (("count = x", "total = y", "total = 2 * x"), ("total = 2 * x",), 3),
        (("total = = x", "total = (", "= 2"), (), 3),
        (("", "total = x", "total = x"), (), 1),
    ],
)
async def test_a_block_that_does_not_fit_is_drawn_anew(
    answers: tuple[str, ...], offered: tuple[str, ...], num_asked: int
) -> None:
    source = Drawn(*answers)
    assert await fill_block(source) == offered
    assert len(source.seeds) == num_asked


async def test_what_is_drawn_is_held_back_for_its_own_chance() -> None:
    assert await fill_block(Drawn("count = x", "total = x", ""), least_chance=0.5) == ()
    assert await fill_block(Drawn("count = x", "total = x", ""), least_chance=0.2) == ("total = x",)


class Mute(Source):
    """Answers with nothing."""

    async def complete(self, infill: Infill) -> AsyncGenerator[Delta, None]:
        self.asked.append(infill)
        yield Delta("", finish_reason="stop", usage=Usage(10, 1, 0))


async def test_a_silent_answer_is_not_asked_for_again_by_the_popup_but_by_the_user() -> None:
    source = Mute()
    completer = Completer(source, Surroundings(lambda: None))
    document = Document("file:///b.py", 1, "python", "x = 1\ny = ")
    inline = Ask(document, Position(1, 4), CompletionSettings(ahead=False), ready)
    for one, asks_again in (
        (inline, True),
        (replace(inline, popup=True), False),
        (replace(inline, invoked=True), True),
    ):
        count = len(source.asked)
        assert await completer.complete(one, Timings()) == ()
        assert (len(source.asked) > count) is asks_again
    completer.close()


async def test_silence_ends_with_the_next_key() -> None:
    source = Mute()
    completer = Completer(source, Surroundings(lambda: None))
    for text in ("y = ", "y = x"):
        document = Document("file:///b.py", 1, "python", text)
        inline = Ask(document, Position(0, len(text)), CompletionSettings(ahead=False), ready)
        assert await completer.complete(inline, Timings()) == ()
    assert len(source.asked) == 2
    completer.close()


async def test_two_who_wait_for_one_silent_answer_ask_once() -> None:
    source = Mute()
    completer = Completer(source, Surroundings(lambda: None))
    document = Document("file:///b.py", 1, "python", "x = 1\ny = ")
    inline = Ask(document, Position(1, 4), CompletionSettings(ahead=False), ready)
    both = (completer.complete(one, Timings()) for one in (inline, replace(inline, popup=True)))
    assert await asyncio.gather(*both) == [(), ()]
    assert len(source.asked) == 1
    completer.close()
