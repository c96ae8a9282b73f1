"""Stopping work as soon as the client that wanted it has gone."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

Result = TypeVar("Result")


class ClientGone(Exception):
    """The connection was closed before the answer was complete; nobody reads what is sent from now on."""


async def while_connected(receive: Receive, work: Coroutine[Any, Any, Result]) -> Result:
    """The result of the work, which is cancelled, and waited for, when the client leaves. Raises ClientGone then.

    To be used when the request's body has been read: from then on ASGI's `receive` waits for the disconnect. Work that
    has nothing to wait for is done before anybody looks after the client.
    """
    watch = _Watch(receive)
    starting = asyncio.get_running_loop().call_soon(watch.start)
    try:
        async with watch.limit:
            return await work
    except TimeoutError:
        if watch.limit.expired():
            raise ClientGone from None
        raise
    finally:
        starting.cancel()
        await watch.close()


class _Watch:
    """Lets the time of its `limit` be over when the client leaves."""

    def __init__(self, receive: Receive) -> None:
        self.limit = asyncio.timeout(None)
        self._receive = receive
        self._watching: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._watching = asyncio.create_task(self._wait_gone())

    async def close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def _wait_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.limit.reschedule(asyncio.get_running_loop().time())
