import asyncio
from collections.abc import AsyncGenerator
from functools import partial

from heron.editor.client.client import Infill
from heron.editor.context.budget import Budget
from heron.editor.context.build import Context, build_context
from heron.editor.document import Document
from heron.editor.features.warming import MOST_BUSY_S, Busy, Warming, Wish
from heron.editor.features.warmth import Warmth
from heron.errors import HostUnreachable
from heron.wire import Delta, ModelInfo, Usage

TEXT = "".join(f"value_{number} = compute({number})\n" for number in range(40))


class Source:
    """Answers when the test says so; `asked` is what came."""

    def __init__(self, supports_fim: bool = True, error: HostUnreachable | None = None) -> None:
        self._model = ModelInfo("m", 4096, supports_fim=supports_fim)
        self._error = error
        self.asked: list[Infill] = []
        self.came, self.go, self.closed = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def model(self) -> ModelInfo:
        return self._model

    async def complete(self, infill: Infill) -> AsyncGenerator[Delta, None]:
        self.asked.append(infill)
        self.came.set()
        try:
            if self._error:
                raise self._error
            await self.go.wait()
            yield Delta("x", finish_reason="length", usage=Usage(500, 1, 0))
        finally:
            self.closed.set()


def context(text: str = TEXT) -> Context:
    document = Document("file:///a.txt", 1, "plaintext", text)
    return build_context(document, document.position(len(text)), None, Budget(4000, 100, len))


async def build(text: str = TEXT) -> Context:
    return context(text)


async def ready() -> bool:
    return True


async def settle() -> None:
    """Let everything that can run do so."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_place_is_read_for_one_token_in_the_background() -> None:
    source, warmth = Source(), Warmth()
    warming = Warming(source, warmth)
    warming.start(Wish(build, ready))
    await source.came.wait()
    assert (source.asked[0].max_tokens, source.asked[0].priority) == (1, "background")
    source.go.set()
    await source.closed.wait()
    await settle()
    assert warmth.cold_tokens(context()) < 8
    warming.start(Wish(build, ready))
    await settle()
    assert len(source.asked) == 1, "what is warm is not read again"


async def test_stopping_closes_the_stream() -> None:
    source = Source()
    warming = Warming(source, Warmth())
    warming.start(Wish(build, ready))
    await source.came.wait()
    warming.stop()
    await source.closed.wait()


async def test_a_newer_place_takes_the_turn_of_the_older() -> None:
    source = Source()
    warming = Warming(source, Warmth())
    warming.start(Wish(build, ready, delay_s=60))
    warming.start(Wish(partial(build, "other = 1\n" * 40), ready))
    await source.came.wait()
    assert source.asked[0].prompt.startswith("other")
    warming.stop()
    await source.closed.wait()


async def test_foreign_servers_short_prompts_and_missing_models_are_left_alone() -> None:
    async def never_ready() -> bool:
        return False

    foreign, ours = Source(supports_fim=False), Source()
    Warming(foreign, Warmth()).start(Wish(build, ready))
    Warming(ours, Warmth()).start(Wish(partial(build, "x = 1\n"), ready))
    Warming(ours, Warmth()).start(Wish(build, never_ready))
    await settle()
    assert (foreign.asked, ours.asked) == ([], [])


async def test_an_error_is_nobodys_business() -> None:
    source = Source(error=HostUnreachable("gone"))
    warming = Warming(source, Warmth())
    warming.start(Wish(build, ready))
    await source.closed.wait()
    await settle()


def test_the_machine_is_not_kept_busy_for_long() -> None:
    busy = Busy()
    busy.add(MOST_BUSY_S / 2)
    assert 0 < busy.seconds() < MOST_BUSY_S
    busy.add(MOST_BUSY_S)
    assert busy.seconds() > MOST_BUSY_S
