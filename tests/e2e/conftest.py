"""Real processes with real models. What is compiled is shared by the tests of a session."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from heron.commands.client import open_client
from heron.discovery import find_host
from homes import CODER


@pytest.fixture
def real_home(model_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The session's home with real models, for this process and its children; its host serves the 0.5B."""
    monkeypatch.setenv("HERON_HOME", str(model_home))
    monkeypatch.setenv("HERON_MODEL", CODER)
    return model_home


@pytest.fixture
def http(real_home: Path) -> Iterator[httpx.Client]:
    """The API of the session's host, once its model is ready."""
    asyncio.run(_wait_ready(real_home))
    address = find_host(real_home)
    assert address is not None
    transport = httpx.HTTPTransport(uds=address.socket_path)
    with httpx.Client(transport=transport, base_url=address.base_url, timeout=120) as client:
        yield client


async def _wait_ready(folder: Path) -> None:
    async with open_client(folder) as client:
        await client.wait_ready(lambda health: None)
