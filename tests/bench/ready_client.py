"""A client of the host of HERON_HOME, once that has its model."""

import asyncio

from bench.fresh import require_fresh
from heron.app import connect
from heron.discovery import HostAddress
from heron.editor.client.client import Client
from heron.settings import Settings, load_settings


async def open_ready_client() -> Client:
    settings = load_settings()
    client = Client(lambda: _connect(settings))
    while (await client.health()).state != "ready":  # noqa: ASYNC110
        await asyncio.sleep(1)  # the host tells of its state only when asked
    return client


async def _connect(settings: Settings) -> HostAddress:
    return await asyncio.to_thread(require_fresh, await connect(settings))
