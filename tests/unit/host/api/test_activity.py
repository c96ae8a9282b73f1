import asyncio

import uvicorn
from fastapi import FastAPI

from heron.host.api.activity import Activity
from heron.host.api.doors import server_config
from heron.host.api.serve import leave_when_idle
from heron.host.api.service import make_service
from heron.wire import Health


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_idle_time_begins_when_the_last_request_ends() -> None:
    clock = Clock()
    activity = Activity(clock)
    clock.now_s += 5
    assert activity.idle_s() == 5
    with activity.request():
        with activity.request():
            clock.now_s += 50
        clock.now_s += 50
        assert activity.idle_s() == 0
    assert activity.idle_s() == 0
    clock.now_s += 3
    assert activity.idle_s() == 3


class StubPool:
    """A pool whose health is asked a given number of times before the model is ready."""

    def __init__(self, busy: int) -> None:
        self.busy = busy

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def engine(self) -> None: ...

    def health(self) -> Health:
        self.busy -= 1
        return Health("downloading" if self.busy >= 0 else "ready")


async def test_a_host_that_fetches_its_model_is_not_idle() -> None:
    server = uvicorn.Server(server_config(FastAPI()))
    pool = StubPool(busy=3)
    await leave_when_idle(server, make_service(pool), 0.001)
    assert server.should_exit
    assert pool.busy == -1


async def test_a_host_with_a_request_in_flight_is_not_idle() -> None:
    server = uvicorn.Server(server_config(FastAPI()))
    asked = asyncio.Event()

    class Watching(StubPool):
        def health(self) -> Health:
            asked.set()
            return super().health()

    service = make_service(Watching(busy=0))
    with service.activity.request():
        leaving = asyncio.create_task(leave_when_idle(server, service, 0.001))
        await asked.wait()
        assert not server.should_exit
    await leaving
    assert server.should_exit
