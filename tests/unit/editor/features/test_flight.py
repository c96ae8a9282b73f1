import asyncio
from collections.abc import AsyncGenerator

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from heron.editor.context.budget import Budget
from heron.editor.context.build import Context, build_context
from heron.editor.document import Document
from heron.editor.features import flight as module
from heron.editor.features.flight import Flight
from heron.editor.features.place import Place, find_place
from heron.editor.postprocess.pipeline import finish
from heron.errors import WorkerCrashed
from heron.wire import Delta, FinishReason, Usage

BEFORE, AFTER = "x = ", "\n"


class Stream:
    """Deltas that come when the test says so."""

    def __init__(self, finish_reason: FinishReason = "stop") -> None:
        self._finish_reason = finish_reason
        self._items: asyncio.Queue[str | Exception | None] = asyncio.Queue()
        self.closed = asyncio.Event()

    def send(self, item: str | Exception | None) -> None:
        self._items.put_nowait(item)

    async def deltas(self) -> AsyncGenerator[Delta, None]:
        try:
            while (item := await self._items.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                yield Delta(item)
            yield Delta(finish_reason=self._finish_reason, usage=Usage(1, 2, 3))
        finally:
            self.closed.set()


def place(typed: str = "", before: str = BEFORE, after: str = AFTER) -> Place:
    document = Document("file:///a.txt", 1, "plaintext", before + typed + after)
    return find_place(document, document.position(len(before + typed)))


def context() -> Context:
    document = Document("file:///a.txt", 1, "plaintext", BEFORE + AFTER)
    budget = Budget(100, 100, len)
    return build_context(document, document.position(len(BEFORE)), None, budget)


def launch(stream: Stream) -> Flight:
    return Flight(place(), context(), stream.deltas())


async def settle() -> None:
    """Let everything that can run do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_whole_stream_is_finished() -> None:
    stream = Stream()
    flight = launch(stream)
    for item in ("foo", "(1)", None):
        stream.send(item)
    assert await flight.follow(place()) == "foo(1)"
    assert flight.answer.usage == Usage(1, 2, 3)
    assert flight.first_text_at is not None


async def test_it_ends_as_soon_as_nothing_more_would_be_kept() -> None:
    stream = Stream()
    flight = launch(stream)
    stream.send("foo\nbar")
    assert await flight.follow(place()) == "foo"
    assert stream.closed.is_set()


async def test_a_second_follower_takes_the_rest_while_the_first_has_left() -> None:
    stream = Stream()
    flight = launch(stream)
    older = asyncio.create_task(flight.follow(place()))
    stream.send("fo")
    await settle()
    older.cancel()
    await asyncio.gather(older, return_exceptions=True)
    assert flight.covers(place("f"))
    assert flight.covers(place("foo"))
    assert not flight.covers(place("g"))
    newer = asyncio.create_task(flight.follow(place("foo")))
    stream.send("o(1)")
    stream.send(None)
    assert await newer == "(1)"


async def test_a_follower_whose_text_the_stream_leaves_gets_nothing_at_once() -> None:
    stream = Stream()
    flight = launch(stream)
    follower = asyncio.create_task(flight.follow(place("bar")))
    await settle()
    assert not follower.done()
    stream.send("foo")
    assert await follower is None
    flight.close()


async def test_a_stream_nobody_follows_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINGER_S", 0.0)
    stream = Stream()
    flight = launch(stream)
    follower = asyncio.create_task(flight.follow(place()))
    await settle()
    follower.cancel()
    await stream.closed.wait()
    assert not flight.covers(place())


async def test_a_stream_another_follows_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINGER_S", 0.0)
    stream = Stream()
    flight = launch(stream)
    older, newer = (asyncio.create_task(flight.follow(place(typed))) for typed in ("", "f"))
    await settle()
    older.cancel()
    await settle()
    stream.send("foo")
    stream.send(None)
    assert await newer == "oo"


async def test_an_error_reaches_the_follower_and_ends_the_cover() -> None:
    stream = Stream()
    flight = launch(stream)
    stream.send("fo")
    stream.send(WorkerCrashed("gone"))
    with pytest.raises(WorkerCrashed):
        await flight.follow(place())
    assert not flight.covers(place("f"))


async def test_closing_frees_the_follower() -> None:
    flight = launch(Stream())
    follower = asyncio.create_task(flight.follow(place()))
    await settle()
    flight.close()
    assert await follower is None


PIECES = st.lists(st.text(st.sampled_from(list("fo(1) ")), min_size=1, max_size=4), min_size=1, max_size=5)


@settings(deadline=None)
@given(PIECES, st.integers(0, 12), st.text(st.sampled_from(list("fx")), max_size=1), st.integers(0, 5))
def test_typed_and_served_make_what_was_offered(pieces: list[str], length: int, wrong: str, arrived: int) -> None:
    """Whenever the typing request joins: what it gets, put behind what was typed, is the answer at the start."""
    whole = finish("".join(pieces), context())
    typed = "".join(pieces)[:length] + wrong
    assume(whole is not None)
    served = asyncio.run(_join_late(pieces, typed, arrived))
    expected = whole[len(typed) :] if whole is not None and whole.startswith(typed) else ""
    assert served == (expected or None)


async def _join_late(pieces: list[str], typed: str, arrived: int) -> str | None:
    stream = Stream()
    flight = launch(stream)
    for piece in pieces[:arrived]:
        stream.send(piece)
    await settle()
    follower = asyncio.create_task(flight.follow(place(typed)))
    await settle()
    for rest in (*pieces[arrived:], None):
        stream.send(rest)
    try:
        return await follower
    finally:
        flight.close()
        await settle()


@pytest.mark.parametrize(("finish_reason", "offered"), [("stop", "    a = 1\n    b = 2"), ("length", "    a = 1")])
async def test_a_line_that_the_limit_broke_off_is_not_offered(finish_reason: FinishReason, offered: str) -> None:
    document = Document("file:///a.py", 1, "python", "def f():\n")
    end = document.position(len(document.text))
    stream = Stream(finish_reason)
    asked = build_context(document, end, None, Budget(100, 100, len))
    flight = Flight(find_place(document, end), asked, stream.deltas())
    stream.send("    a = 1\n    b = 2")
    stream.send(None)
    assert await flight.follow(find_place(document, end)) == offered
