import asyncio

import pytest
from starlette.types import Message

from heron.host.api.disconnect import ClientGone, while_connected


class Connection:
    """A client's side of ASGI: silent until it leaves."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.waiting = False
        self.num_asked = 0

    async def receive(self) -> Message:
        self.waiting = True
        self.num_asked += 1
        try:
            await self.left.wait()
        finally:
            self.waiting = False
        return {"type": "http.disconnect"}


class Work:
    """Work that goes on until it is cancelled."""

    def __init__(self) -> None:
        self.started, self.cleaned = asyncio.Event(), False

    async def run(self) -> None:
        self.started.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.cleaned = True


async def test_the_result_ends_the_watch() -> None:
    connection = Connection()

    async def work() -> int:
        await asyncio.sleep(0)
        return 5

    assert await while_connected(connection.receive, work()) == 5
    assert not connection.waiting


async def test_work_that_need_not_wait_costs_no_watch() -> None:
    connection = Connection()

    async def work() -> int:
        return 5

    assert await while_connected(connection.receive, work()) == 5
    for _ in range(3):  # a watch would begin in the next turn, and ask in the one after
        await asyncio.sleep(0)
    assert not connection.num_asked


async def test_a_timeout_of_the_work_stays_one() -> None:
    async def work() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        await while_connected(Connection().receive, work())


async def test_an_error_passes_through() -> None:
    async def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await while_connected(Connection().receive, work())


async def test_leaving_cancels_the_work_and_waits_for_its_end() -> None:
    connection, work = Connection(), Work()
    asking = asyncio.create_task(while_connected(connection.receive, work.run()))
    await work.started.wait()
    connection.left.set()
    with pytest.raises(ClientGone):
        await asyncio.wait_for(asking, 20)
    assert work.cleaned


async def test_cancelling_cancels_the_work_and_waits_for_its_end() -> None:
    connection, work = Connection(), Work()
    asking = asyncio.create_task(while_connected(connection.receive, work.run()))
    await work.started.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert work.cleaned
    assert not connection.waiting
