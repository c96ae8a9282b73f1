"""Noticing that a server that streams has come to a standstill, long before its silence alone would prove it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

from heron.errors import HostUnreachable
from heron.wire import Delta


async def with_pulse(
    deltas: AsyncGenerator[Delta, None], is_alive: Callable[[], Awaitable[bool]], silence_s: float
) -> AsyncGenerator[Delta, None]:
    """The deltas; HostUnreachable once none has come for so long and the server, asked, is not alive either."""
    pulse = _Pulse(is_alive, silence_s)
    try:
        while True:
            try:
                delta = await pulse.wait(deltas)
            except StopAsyncIteration:
                return
            yield delta
    finally:
        await pulse.close()
        await deltas.aclose()


@dataclass(slots=True)
class _Pulse:
    """One timer a stream, and a task only while the server is asked: most streams end before that."""

    is_alive: Callable[[], Awaitable[bool]]
    silence_s: float
    limit: asyncio.Timeout | None = None
    """That of the wait that goes on, if one does."""
    since_s: float = 0.0
    timer: asyncio.TimerHandle | None = None
    asking: asyncio.Task[None] | None = None

    async def wait(self, deltas: AsyncGenerator[Delta, None]) -> Delta:
        """The next delta. Raises StopAsyncIteration at the end."""
        loop = asyncio.get_running_loop()
        self.since_s = loop.time()
        if self.timer is None:
            self.timer = loop.call_later(self.silence_s, self._check)
        try:
            async with asyncio.timeout(None) as self.limit:
                return await anext(deltas)
        except TimeoutError as error:
            if self.limit is None or not self.limit.expired():
                raise
            raise HostUnreachable("The model server stands still.") from error
        finally:
            self.limit = None

    async def close(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        if self.asking is not None:
            self.asking.cancel()
            await asyncio.gather(self.asking, return_exceptions=True)

    def _check(self) -> None:
        """Ask the server if it has been waited for long enough, else look again when it may have been."""
        loop = asyncio.get_running_loop()
        left_s = self.since_s + self.silence_s - loop.time() if self.limit else self.silence_s
        if left_s > 0:
            self.timer = loop.call_later(left_s, self._check)
        else:
            self.asking = asyncio.create_task(self._ask())

    async def _ask(self) -> None:
        awaited = self.since_s
        is_alive = await self.is_alive()
        loop = asyncio.get_running_loop()
        if not is_alive and self.limit is not None and self.since_s == awaited:
            self.limit.reschedule(loop.time())
        self.timer = loop.call_later(self.silence_s, self._check)
