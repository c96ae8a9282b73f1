"""A host for the HTTP tests: the real application over the scripted engine, in memory or behind a real uvicorn."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from heron.host.api.app import create_app
from heron.host.api.auth import Auth
from heron.host.api.doors import server_config
from heron.host.api.listen import listen_unix
from heron.host.api.service import make_service
from heron.host.engine.engine import Engine
from heron.host.fleet import Fleet, MakeRoom
from heron.host.pool import MakeWorker, Pool
from heron.host.workers import InProcessWorker
from heron.settings import Settings

CHAT = [{"role": "user", "content": "hello"}]


def pool_of(engine: Engine) -> Fleet:
    return fleet_of(lambda settings: InProcessWorker(engine))


def fleet_of(make_worker: MakeWorker) -> Fleet:
    """A host's models: one, whose worker is made so."""
    return Fleet(lambda name, make_room: Pool(Settings(), make_worker, make_room=make_room), lambda: ())


def two_models(engines: Mapping[str, Engine]) -> Fleet:
    """A host of several installed models, by name; the first is the chosen one."""
    chosen = next(iter(engines))

    def make_pool(name: str, make_room: MakeRoom) -> Pool:
        return Pool(Settings(), lambda settings: InProcessWorker(engines[name or chosen]), make_room=make_room)

    return Fleet(make_pool, lambda: tuple(engines))


@asynccontextmanager
async def in_memory(models: Engine | Fleet, auth: Auth | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application without a server; it sees whole answers only."""
    fleet = models if isinstance(models, Fleet) else pool_of(models)
    app = create_app(make_service(fleet), auth or Auth())
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://host") as client,
    ):
        yield client


@asynccontextmanager
async def on_socket(engine: Engine, folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a real server on a Unix socket."""
    path = folder / "host.sock"
    server = uvicorn.Server(server_config(create_app(make_service(pool_of(engine)), Auth())))
    with listen_unix(path) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        transport = httpx.AsyncHTTPTransport(uds=str(path))
        async with httpx.AsyncClient(transport=transport, base_url="http://host", timeout=20) as client:
            yield client
        server.should_exit = True
        await serving


def events_of(text: str) -> list[Any]:
    """The data of each server-sent event, parsed; the closing [DONE] stays a string."""
    events = [block.removeprefix("data: ") for block in text.split("\n\n") if block]
    return [event if event == "[DONE]" else json.loads(event) for event in events]
