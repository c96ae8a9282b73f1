"""An event loop in a thread of its own: what is slow or huge on it does not hold up the editor's."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from heron.errors import IntegrationError

T = TypeVar("T")


class LoopThread:
    """Runs from its making until `stop`; a daemon, so that it never holds up the end of the process."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine run there; cancelling cancels it there. Raises IntegrationError once stopped."""
        if self._loop.is_closed():
            work.close()
            raise IntegrationError("The MCP servers were stopped.")
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def stop(self) -> None:
        """End the loop; what still runs on it is cancelled."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(_cancel_all(self._loop))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()


async def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    left = [task for task in asyncio.all_tasks(loop) if task is not asyncio.current_task()]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
