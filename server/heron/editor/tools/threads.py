"""Work in threads that may be abandoned: one that never ends holds up neither its caller nor the process's end."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from heron.errors import Overloaded, SystemFault

T = TypeVar("T")
MAX_THREADS = 32
_PREFIX = "heron-tool"


async def run_in_thread(work: Callable[[], T]) -> T:
    """The result of `work`, done in a daemon thread of its own. Cancelling leaves the thread behind.

    Raises `Overloaded` while `MAX_THREADS` such threads still run.
    """
    if sum(thread.name == _PREFIX for thread in threading.enumerate()) >= MAX_THREADS:
        raise Overloaded(f"{MAX_THREADS} tool calls are still running.", hint="Some of them hang.")
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        try:
            result = work()
        except Exception as error:
            _hand_over(loop, future, error)
        except BaseException as error:  # sys.exit() in a tool ends the tool, not the server
            _hand_over(loop, future, SystemFault(f"{type(error).__name__} was raised."))
        else:
            _hand_over(loop, future, result)

    threading.Thread(target=run, name=_PREFIX, daemon=True).start()
    return await future


def _hand_over(loop: asyncio.AbstractEventLoop, future: "asyncio.Future[T]", result: T | Exception) -> None:
    with suppress(RuntimeError):  # the loop was closed: nobody waits
        loop.call_soon_threadsafe(_settle, future, result)


def _settle(future: "asyncio.Future[T]", result: T | Exception) -> None:
    if future.done():
        return
    if isinstance(result, StopIteration):  # a future cannot carry one
        future.set_exception(SystemFault("StopIteration was raised."))
    elif isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
