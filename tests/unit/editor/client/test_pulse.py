import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from heron.editor.client.pulse import with_pulse
from heron.errors import HostUnreachable, ModelNotReady
from heron.wire import Delta


class Server:
    """Streams what it is given; a None makes it wait for ever."""

    def __init__(self, *deltas: Delta | Exception | None, alive_for: int = 0) -> None:
        self._deltas, self._alive_for = deltas, alive_for
        self.num_asked = 0
        self.closed = False

    async def stream(self) -> AsyncGenerator[Delta, None]:
        try:
            for delta in self._deltas:
                if delta is None:
                    await asyncio.Event().wait()
                elif isinstance(delta, Exception):
                    raise delta
                else:
                    yield delta
        finally:
            self.closed = True

    async def is_alive(self) -> bool:
        self.num_asked += 1
        return self.num_asked <= self._alive_for


async def read(server: Server) -> list[str]:
    async with asyncio.timeout(20), aclosing(with_pulse(server.stream(), server.is_alive, 0.01)) as deltas:
        return [delta.text async for delta in deltas]


async def test_a_stream_that_flows_is_passed_on_and_nobody_asked() -> None:
    server = Server(Delta("a"), Delta("b"))
    assert await read(server) == ["a", "b"]
    assert (server.num_asked, server.closed) == (0, True)


async def test_a_silent_server_that_does_not_live_is_lost() -> None:
    server = Server(Delta("a"), None, alive_for=3)
    with pytest.raises(HostUnreachable, match="stands still"):
        await read(server)
    assert (server.num_asked, server.closed) == (4, True)


async def test_no_delta_costs_a_task() -> None:
    server = Server(*[Delta("a")] * 5)
    before = asyncio.all_tasks()
    async with aclosing(with_pulse(server.stream(), server.is_alive, 20.0)) as deltas:
        async for _ in deltas:
            assert asyncio.all_tasks() == before


async def test_silence_while_nobody_waits_is_not_the_servers() -> None:
    server = Server(Delta("a"), Delta("b"))
    async with asyncio.timeout(20), aclosing(with_pulse(server.stream(), server.is_alive, 0.001)) as deltas:
        assert (await anext(deltas)).text == "a"
        passed = asyncio.get_running_loop().time() + 0.01
        while asyncio.get_running_loop().time() < passed:
            await asyncio.to_thread(lambda: None)
        assert (await anext(deltas)).text == "b"
    assert not server.num_asked


async def test_a_timeout_of_the_stream_is_not_a_standstill() -> None:
    with pytest.raises(TimeoutError, match="its own"):
        await read(Server(TimeoutError("its own"), alive_for=10**9))


async def test_errors_of_the_stream_stay_what_they_are() -> None:
    with pytest.raises(ModelNotReady):
        await read(Server(ModelNotReady("Not yet.")))


async def test_leaving_closes_the_stream() -> None:
    server = Server(Delta("a"), None, alive_for=10**9)
    async with aclosing(with_pulse(server.stream(), server.is_alive, 0.01)) as deltas:
        assert (await anext(deltas)).text == "a"
    assert server.closed


async def test_cancelling_closes_the_stream() -> None:
    server = Server(None, alive_for=10**9)
    reading = asyncio.ensure_future(read(server))
    while not server.num_asked:
        await asyncio.to_thread(lambda: None)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert server.closed
