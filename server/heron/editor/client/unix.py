"""HTTP/1.1 on this machine's Unix socket, under httpx: a request goes out in one piece, which wakes the host once.

httpx's own transport sends head and body apart, and enters and leaves the event loop's selector for each read: half of
what a request, and two thirds of what an event of a stream took in this process. Imports httpx: see `http.py`.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import h11
import httpx

_READ_BYTES = 65536


class UnixTransport(httpx.AsyncBaseTransport):
    """Connections to one socket, kept for the next request once their answer has been read to its end."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and read the head of its answer. Raises httpx's errors."""
        content = await request.aread()
        limits = request.extensions.get("timeout", {})
        connection = await self._connect(limits.get("connect"))
        try:
            connection.send(request, content, limits.get("read"))
            head = await connection.read_head()
        except BaseException:
            self._close(connection)
            raise
        return httpx.Response(head.status_code, headers=head.headers.raw_items(), stream=_Body(connection, self))

    async def aclose(self) -> None:
        """Close all connections, also those in use."""
        for connection in list(self._open):
            self._close(connection)

    def give_back(self, connection: "Connection") -> None:
        """Keep a connection whose answer was read to its end, close any other."""
        if connection in self._open and connection.renew():
            self._idle.append(connection)
        else:
            self._close(connection)

    async def _connect(self, limit_s: float | None) -> "Connection":
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_lost:
                return connection
            self._close(connection)
        with _mapped(httpx.ConnectTimeout, httpx.ConnectError):
            async with asyncio.timeout(limit_s):
                connection = Connection(*await asyncio.open_unix_connection(self._path))
        self._open.add(connection)
        return connection

    def _close(self, connection: "Connection") -> None:
        self._open.discard(connection)
        connection.writer.close()


@dataclass(slots=True, eq=False)
class Connection:
    """One connection and where its conversation stands."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    state: h11.Connection = field(default_factory=lambda: h11.Connection(h11.CLIENT))
    limit_s: float | None = None
    """How long the host may be silent."""

    @property
    def is_lost(self) -> bool:
        """Whether the host has hung up meanwhile."""
        return self.reader.at_eof() or self.writer.is_closing()

    def send(self, request: httpx.Request, content: bytes, limit_s: float | None) -> None:
        self.limit_s = limit_s
        with _mapped(httpx.WriteTimeout, httpx.WriteError):
            head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
            events = (head, h11.Data(data=content), h11.EndOfMessage())
            self.writer.write(b"".join(self.state.send(event) or b"" for event in events))

    async def read_head(self) -> h11.Response:
        while not isinstance(event := await self.read(), h11.Response):
            pass  # informational ones
        return event

    async def read(self) -> h11.Event:
        """What comes next of the answer."""
        with _mapped(httpx.ReadTimeout, httpx.ReadError):
            while (event := self.state.next_event()) is h11.NEED_DATA:
                async with asyncio.timeout(self.limit_s):
                    self.state.receive_data(await self.reader.read(_READ_BYTES))
        if isinstance(event, h11.Event):
            return event
        raise httpx.RemoteProtocolError("The connection was closed.")

    def renew(self) -> bool:
        """Make ready for another request; whether that is possible."""
        if self.state.our_state is not h11.DONE or self.state.their_state is not h11.DONE:
            return False
        self.state.start_next_cycle()
        return True


class _Body(httpx.AsyncByteStream):
    """What follows the head of an answer."""

    def __init__(self, connection: Connection, transport: UnixTransport) -> None:
        self._connection, self._transport = connection, transport

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while isinstance(event := await self._connection.read(), h11.Data):
            yield bytes(event.data)

    async def aclose(self) -> None:
        self._transport.give_back(self._connection)


@contextmanager
def _mapped(late: type[httpx.TimeoutException], failed: type[httpx.NetworkError]) -> Iterator[None]:
    """Errors of the system and of the protocol as httpx's."""
    try:
        yield
    except TimeoutError as error:
        raise late(f"The host was silent: {error or 'timeout'}.") from error
    except OSError as error:
        raise failed(str(error)) from error
    except h11.ProtocolError as error:
        raise httpx.RemoteProtocolError(str(error)) from error
