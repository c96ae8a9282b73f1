"""What the editors of the tests run and talk to: the command `heron`, and a host over the scripted engine."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn

from heron.host.api.app import create_app
from heron.host.api.auth import Auth
from heron.host.api.doors import server_config
from heron.host.api.listen import LOOPBACK, listen_tcp
from heron.host.api.service import make_service
from heron.host.engine.scripted import ScriptedEngine
from protocol.http_host import pool_of


def write_command(folder: Path) -> Path:
    """The command `heron` of this Python, wherever it is installed."""
    command = folder / "heron"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m heron "$@"\n')
    command.chmod(0o755)
    return command


def server_settings(folder: Path, home: Path, url: str) -> dict[str, Any]:
    """VS Code's settings for the command `heron` in `folder`, a home of its own, and a host that runs already."""
    server = {"path": str(write_command(folder)), "environment": {"HERON_HOME": str(home)}}
    return {f"heron.server.{key}": value for key, value in server.items()} | {"heron.host.url": url}


@asynccontextmanager
async def run_host(engine: ScriptedEngine) -> AsyncIterator[str]:
    """The URL of a real HTTP server on a free port of this machine."""
    server = uvicorn.Server(server_config(create_app(make_service(pool_of(engine)), Auth())))
    with listen_tcp(0) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving
