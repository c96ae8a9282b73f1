"""A host on TCP for the tests: the real server, gate and routes over the scripted engine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import uvicorn

from heron.host.api.app import create_app
from heron.host.api.doors import server_config
from heron.host.api.doorway import Endpoint, open_own_door, open_port
from heron.host.api.service import make_service
from heron.host.engine.engine import Engine
from heron.host.fleet import Fleet
from heron.settings import HostSettings, LimitSettings
from protocol.http_host import pool_of


@asynccontextmanager
async def serving(
    home: Path,
    models: Engine | Fleet,
    settings: HostSettings | None = None,
    limits: LimitSettings | None = None,
    port: int | None = 0,
) -> AsyncIterator[Endpoint]:
    """A running server; without a port on the Unix socket of the home."""
    with ExitStack() as stack:
        wanted = settings or HostSettings()
        endpoint = open_own_door(home, stack) if port is None else open_port(home, port, wanted, stack)
        fleet = models if isinstance(models, Fleet) else pool_of(models)
        app = create_app(make_service(fleet, limits), endpoint.auth)
        server = uvicorn.Server(server_config(app, endpoint.certificate))
        running = asyncio.create_task(server.serve(sockets=[endpoint.listener]))
        try:
            yield endpoint
        finally:
            server.should_exit = True
            await running
