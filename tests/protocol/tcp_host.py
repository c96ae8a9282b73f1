"""A host on TCP for the tests: the real server, gate and routes over the scripted engine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import uvicorn

from heron.host.api.activity import Activity
from heron.host.api.app import create_app
from heron.host.api.doorway import Endpoint, open_endpoint
from heron.host.api.serve import server_config
from heron.host.engine.engine import Engine
from heron.settings import HostSettings, LimitSettings
from protocol.http_host import pool_of


@asynccontextmanager
async def serving(
    home: Path,
    engine: Engine,
    settings: HostSettings | None = None,
    limits: LimitSettings | None = None,
    port: int | None = 0,
) -> AsyncIterator[Endpoint]:
    """A running server; without a port on the Unix socket of the home."""
    with ExitStack() as stack:
        endpoint = open_endpoint(home, port, settings or HostSettings(), stack)
        app = create_app(pool_of(engine), endpoint.auth, Activity(), limits)
        server = uvicorn.Server(server_config(app, endpoint.certificate))
        running = asyncio.create_task(server.serve(sockets=[endpoint.listener]))
        try:
            yield endpoint
        finally:
            server.should_exit = True
            await running
