"""A server that is not Heron's, on a Unix socket: it answers each path with the bytes a test gives it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from heron.discovery import HostAddress

Answer = Callable[["Exchange"], Awaitable[None]]


class Exchange:
    """One request, and the means to answer it piece by piece."""

    def __init__(self, head: str, body: bytes, writer: asyncio.StreamWriter) -> None:
        self.head, self.body = head, body
        self._writer = writer

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    async def begin(self, status: int = 200) -> None:
        await self.write(b"HTTP/1.1 %d X\r\nConnection: close\r\n\r\n" % status)

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self, body: object, status: int = 200) -> None:
        await self.begin(status)
        await self.write(body if isinstance(body, bytes) else json.dumps(body).encode())


class ForeignServer:
    """Paths and their answers; a path without one is not found. `exchanges` is what was asked."""

    def __init__(self, routes: dict[str, object | Answer]) -> None:
        self.routes = routes
        self.exchanges: list[Exchange] = []
        self.address = HostAddress("http://host")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next((line[15:] for line in head.lower().splitlines() if line.startswith("content-length:")), "0")
            exchange = Exchange(head, await reader.readexactly(int(length)), writer)
            self.exchanges.append(exchange)
            await self._answer(exchange, self.routes.get(head.split()[1]))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, exchange: Exchange, route: Any) -> None:
        if callable(route):
            await route(exchange)
        elif route is None:
            await exchange.answer({"detail": "Not Found"}, 404)
        else:
            await exchange.answer(route)


@asynccontextmanager
async def foreign_server(folder: Path, routes: dict[str, object | Answer]) -> AsyncIterator[ForeignServer]:
    server = ForeignServer(routes)
    path = folder / "foreign.sock"
    server.address = HostAddress("http://host/v1/", socket_path=str(path), token="secret")
    listening = await asyncio.start_unix_server(server.serve, path)
    async with listening:
        yield server
    path.unlink(missing_ok=True)


def event(body: object) -> bytes:
    return b"data: %s\n\n" % json.dumps(body).encode()
