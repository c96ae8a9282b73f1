"""`/lsp`: a language server over WebSocket, one process a connection, all on this host's model.

One text frame is one JSON-RPC message, as browser clients (vscode-ws-jsonrpc, monaco-languageclient) send them. The
server reads this machine's files, so only an admin's token opens it.
"""

import asyncio
import logging
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from contextlib import suppress

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect

from heron.host.api.guard import MAX_BODY_BYTES

PATH = "/lsp"
_LEAVE_S = 5.0
"""How long a language server may take to end once its input has."""
_TOO_MANY = 1013
MAX_CONNECTIONS = 32
_log = logging.getLogger(__name__)


def lsp_router() -> APIRouter:
    router, servers = APIRouter(), LanguageServers()

    @router.websocket(PATH)
    async def serve(socket: WebSocket) -> None:
        await servers.serve(socket, {})

    return router


class LanguageServers:
    """Those of one process's connections."""

    def __init__(self) -> None:
        self._running: set[Process] = set()

    async def serve(self, socket: WebSocket, variables: Mapping[str, str]) -> None:
        """Join a client and a server of its own, told these variables, until either leaves; then end the other."""
        if len(self._running) >= MAX_CONNECTIONS:
            await socket.close(_TOO_MANY, f"There are {MAX_CONNECTIONS} language servers already.")
            return
        await socket.accept()
        process = await _start_server(variables)
        self._running.add(process)
        try:
            await _join(socket, process)
        finally:
            self._running.discard(process)
            await _end(process)


async def _start_server(variables: Mapping[str, str]) -> Process:
    """A child process with this one's home and folder, which finds its host as any editor's does."""
    command = (sys.executable, "-m", "heron", "lsp")
    return await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, limit=MAX_BODY_BYTES, env={**os.environ, **variables}
    )


async def _join(socket: WebSocket, process: Process) -> None:
    pumps = [asyncio.create_task(pump(socket, process)) for pump in (_to_server, _to_client)]
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for pump in pumps:
            pump.cancel()
        for outcome in await asyncio.gather(*pumps, return_exceptions=True):
            if isinstance(outcome, Exception):
                _log.warning("A language server's connection broke: %s", outcome)
        with suppress(RuntimeError, WebSocketDisconnect):  # the client has left already
            await socket.close()


async def _to_server(socket: WebSocket, process: Process) -> None:
    assert process.stdin
    with suppress(WebSocketDisconnect, KeyError, ConnectionError):  # KeyError: a binary frame
        while True:
            body = (await socket.receive_text()).encode()
            process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            await process.stdin.drain()


async def _to_client(socket: WebSocket, process: Process) -> None:
    assert process.stdout
    with suppress(asyncio.IncompleteReadError):
        while True:
            head = await process.stdout.readuntil(b"\r\n\r\n")
            body = await process.stdout.readexactly(_content_length(head))
            await socket.send_text(body.decode())


def _content_length(head: bytes) -> int:
    """LSP base protocol, "Header Part". The head is our own server's, so it is well formed."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise ValueError(f"A message of the language server has no length: {head!r}")


async def _end(process: Process) -> None:
    """End a language server: it leaves when its input ends, or is killed."""
    assert process.stdin
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), _LEAVE_S)
    except TimeoutError:
        process.kill()
        await process.wait()
