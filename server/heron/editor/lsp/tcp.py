"""A language server on a TCP port: a server object for each connection, all in this process, sharing its host.

What is served reads this user's files. On loopback only this user's processes are let in, as far as the system tells
whose they are; elsewhere the port speaks TLS, and `initialize` has to bring a token: `initializationOptions.token`.
"""

import asyncio
import json
import logging
import signal
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from heron.editor.lsp import errors
from heron.editor.lsp.framing import Fault, frame
from heron.editor.lsp.gate import Gate, Phase
from heron.editor.lsp.peer import is_strangers
from heron.editor.lsp.server import open_session
from heron.editor.lsp.session import Connect
from heron.editor.lsp.stdio import read_messages

MAX_CONNECTIONS = 32
ADMISSION_S = 20.0
"""How long a connection may take to say `initialize`, with its token."""
_CHUNK_BYTES = 1 << 16
_CHUNKS_AHEAD = 16
_ADMISSION_BYTES = 1 << 20
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TcpDoor:
    """Where to listen. `admits` tells whether a token may come in, None where none is asked for."""

    address: str
    port: int
    admits: Callable[[str], bool] | None = None
    certificate: tuple[str, str] | None = None
    """Files of the certificate chain and its key."""


def serve_tcp(connect: Connect, door: TcpDoor, announce: Callable[[int], None]) -> int:
    """Serve until SIGINT or SIGTERM; 0. `announce` is told the port, which for 0 is any free one."""
    logging.getLogger("pygls").setLevel(logging.CRITICAL)  # its records carry payloads
    asyncio.run(_serve(connect, door, announce))
    return 0


async def _serve(connect: Connect, door: TcpDoor, announce: Callable[[int], None]) -> None:
    loop, leaving = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, leaving.set)
    clients: set[asyncio.Task[None]] = set()

    def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(clients) >= MAX_CONNECTIONS or (door.admits is None and is_strangers(writer)):
            _log.warning("Refusing a connection from %s", writer.get_extra_info("peername"))
            writer.close()
            return
        task = asyncio.create_task(serve_client(connect, door, reader, writer))
        clients.add(task)
        task.add_done_callback(clients.discard)

    server = await asyncio.start_server(take, door.address, door.port, ssl=_tls(door))
    announce(server.sockets[0].getsockname()[1])
    await leaving.wait()
    server.close()
    for task in clients:
        task.cancel()
    await asyncio.gather(*clients, return_exceptions=True)


async def serve_client(
    connect: Connect, door: TcpDoor, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Serve one connection until it says `exit` or ends."""
    sender = _Sender(writer)
    session, gate = open_session(connect, sender)
    entrance = Entrance(gate, door.admits, sender.write)
    chunks: asyncio.Queue[bytes] = asyncio.Queue(_CHUNKS_AHEAD)
    tasks = (
        asyncio.ensure_future(_pump(reader, chunks, entrance)),
        asyncio.ensure_future(read_messages(entrance, chunks)),
        asyncio.ensure_future(_refuse_late(entrance)),
    )
    try:
        await asyncio.wait(tasks[1:], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await session.close()
        with suppress(OSError):
            await sender.finish()


class Entrance:
    """The gate of a connection behind a check of its first message, where a token is asked for."""

    def __init__(self, gate: Gate, admits: Callable[[str], bool] | None, send: Callable[[bytes], None]) -> None:
        self._gate, self._admits, self._send = gate, admits, send
        self.admitted = asyncio.Event()
        self._is_refused = False
        if admits is None:
            self.admitted.set()

    @property
    def phase(self) -> Phase:
        """That of the gate; a connection that was refused is over."""
        return "exited" if self._is_refused else self._gate.phase

    def receive(self, item: bytes | Fault) -> None:
        """Handle one body or fault of the stream."""
        if self.admitted.is_set():
            self._gate.receive(item)
            return
        message = _read_initialize(item)
        token = _take_token(message)
        if self._admits is None or not self._admits(token):
            self._refuse(message.get("id"))
            return
        self.admitted.set()
        self._gate.receive(json.dumps(message).encode())

    def _refuse(self, request_id: Any) -> None:
        self._is_refused = True
        said = "This server needs a token that may do everything: initializationOptions.token of initialize."
        known_id = request_id if isinstance(request_id, str | int) else None
        self._send(frame(errors.error_body(known_id, errors.INVALID_REQUEST, said)))


class _Sender:
    """Writes to a connection, from any thread; the shape of writer that pygls expects."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()

    def write(self, data: bytes) -> None:
        if threading.get_ident() == self._thread:
            self._writer.write(data)
        else:
            self._loop.call_soon_threadsafe(self._writer.write, data)

    def close(self) -> None:
        self._writer.close()

    async def finish(self) -> None:
        """Close once all is written, as far as the client still reads."""
        self._writer.close()
        await self._writer.wait_closed()


async def _pump(reader: asyncio.StreamReader, chunks: "asyncio.Queue[bytes]", entrance: Entrance) -> None:
    """Read the connection into the queue, no faster than it is emptied; an empty chunk is its end."""
    num_bytes = 0
    while True:
        chunk = b""
        with suppress(OSError):
            chunk = await reader.read(_CHUNK_BYTES)
        num_bytes += len(chunk)
        if not entrance.admitted.is_set() and num_bytes > _ADMISSION_BYTES:
            chunk = b""
        await chunks.put(chunk)
        if not chunk:
            return


async def _refuse_late(entrance: Entrance) -> None:
    """Return when a connection has not been admitted in time; wait for ever once it is."""
    with suppress(TimeoutError):
        async with asyncio.timeout(ADMISSION_S):
            await entrance.admitted.wait()
        await asyncio.Event().wait()


def _read_initialize(item: bytes | Fault) -> dict[str, Any]:
    """The first message; empty if it is not a request to initialize."""
    with suppress(ValueError, RecursionError):
        message = json.loads(item) if isinstance(item, bytes) else None
        if isinstance(message, dict) and message.get("method") == "initialize":
            return message
    return {}


def _take_token(message: dict[str, Any]) -> str:
    """The token of a message, which is taken out: it is no setting. Empty if there is none."""
    params = message.get("params")
    options = params.get("initializationOptions") if isinstance(params, dict) else None
    token = options.pop("token", "") if isinstance(options, dict) else ""
    return token if isinstance(token, str) else ""


def _tls(door: TcpDoor) -> ssl.SSLContext | None:
    if door.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*door.certificate)
    return context
