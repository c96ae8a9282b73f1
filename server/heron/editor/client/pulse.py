"""Noticing that a server that streams has come to a standstill, long before its silence alone would prove it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

from heron.errors import HostUnreachable
from heron.wire import Delta


async def with_pulse(
    deltas: AsyncGenerator[Delta, None], is_alive: Callable[[], Awaitable[bool]], silence_s: float
) -> AsyncGenerator[Delta, None]:
    """The deltas; HostUnreachable once none has come for so long and the server, asked, is not alive either."""
    awaited = asyncio.ensure_future(anext(deltas))
    try:
        while True:
            while not (await asyncio.wait((awaited,), timeout=silence_s))[0]:
                if not await is_alive():
                    raise HostUnreachable("The model server stands still.")
            yield awaited.result()
            awaited = asyncio.ensure_future(anext(deltas))
    except StopAsyncIteration:
        return
    finally:
        awaited.cancel()
        await asyncio.gather(awaited, return_exceptions=True)
        await deltas.aclose()
