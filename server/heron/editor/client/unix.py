"""HTTP/1.1 to this machine's host, on its Unix socket: a request goes out in one piece, which wakes the host once.

httpx took half of a request's time in `heron lsp`, and a tenth of a second to be imported. The parser is Node's,
compiled (llhttp): between two requests the model's weights have gone through the caches, and cold Python is slow.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import cast
from urllib.parse import unquote

import httptools

from heron.discovery import HostAddress
from heron.editor.client.http import Answer, Hear, Post, encode_json
from heron.errors import HostUnreachable
from heron.wire import CLIENT_HEADER, NOTICE_HEADER

CONNECT_S = 5.0
SILENCE_S = 60.0
"""A host that sends nothing for so long is taken for dead; what a user waits for is bounded far below."""
END_S = 0.1
"""How long the end of an answer may take after its last event."""
_NOTICE = NOTICE_HEADER.lower().encode()
_LENGTHS = (b"content-length", b"transfer-encoding")
"""Without either, an answer ends with its connection: RFC 9112, section 6.3."""


class UnixServer:
    """Connections to one socket, kept for the next request once their answer has been read to its end."""

    def __init__(self, address: HostAddress, hear: Hear) -> None:
        self._path, self._hear = address.socket_path, hear
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        name = secrets.token_hex(8)  # clients share a host fairly
        token = f"Authorization: Bearer {address.token}\r\n" if address.token else ""
        self._head = f"Host: localhost\r\n{CLIENT_HEADER}: {name}\r\n{token}"

    def post(self, post: Post) -> AbstractAsyncContextManager[Answer]:
        content = encode_json(post.body)
        own = "".join(f"{name}: {value}\r\n" for name, value in post.headers.items())
        head = f"{own}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        return self._exchange(f"POST {post.path} HTTP/1.1\r\n{self._head}{head}".encode() + content)

    async def ask(self, method: str, path: str, timeout_s: float | None = None) -> tuple[int, bytes]:
        request = f"{method} {path} HTTP/1.1\r\n{self._head}Content-Length: 0\r\n\r\n".encode()
        try:
            async with asyncio.timeout(timeout_s), self._exchange(request) as answer:
                return answer.status, await answer.read()
        except TimeoutError as error:
            raise HostUnreachable("The model server does not answer.") from error

    async def close(self) -> None:
        for connection in list(self._open):
            connection.abort("it was closed")
        self._open.clear()
        self._idle.clear()

    @asynccontextmanager
    async def _exchange(self, request: bytes) -> AsyncIterator[Answer]:
        """Send a request; its connection is kept if the answer has come to its end, or does at once."""
        connection = await self._begin(request)
        try:
            self._hear(connection.notice)
            yield Answer(connection.status, connection.pieces())
            await connection.wait_end()
        finally:
            if connection.can_be_reused and connection in self._open:
                self._idle.append(connection)
            else:
                self._close(connection)

    async def _begin(self, request: bytes) -> "Connection":
        """A connection on which the head of the answer has come.

        A kept one that is closed without a word was being closed as it was asked: no request is lost with it.
        """
        while kept := self._take_idle():
            try:
                return await self._send(kept, request)
            except HostUnreachable:
                if not kept.was_hung_up:
                    raise
        return await self._send(await self._connect(), request)

    async def _send(self, connection: "Connection", request: bytes) -> "Connection":
        try:
            connection.send(request)
            await connection.wait_head()
        except BaseException:
            self._close(connection)
            raise
        return connection

    def _take_idle(self) -> "Connection | None":
        while self._idle:
            connection = self._idle.pop()
            if connection.can_be_reused:
                return connection
            self._close(connection)
        return None

    async def _connect(self) -> "Connection":
        try:
            async with asyncio.timeout(CONNECT_S):
                _, connection = await asyncio.get_running_loop().create_unix_connection(Connection, self._path)
        except OSError as error:  # a TimeoutError too
            raise HostUnreachable(f"The model server does not answer: {error or 'timeout'}.") from error
        self._open.add(connection)
        return connection

    def _close(self, connection: "Connection") -> None:
        self._open.discard(connection)
        connection.abort("it was left")


class Connection(asyncio.Protocol):
    """One connection and the answer that comes through it. The parser calls what begins with `on_`."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._pieces: deque[bytes] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self._lost = ""
        self.status, self.notice = 0, ""
        self._is_whole = self._has_length = True
        self._is_unanswered = False
        self.was_hung_up = False
        """Whether the host closed it without a word on the last request."""

    @property
    def can_be_reused(self) -> bool:
        """Whether another request may be sent: the last answer came to its end, and nobody hung up."""
        return self._is_whole and not self._lost

    def send(self, request: bytes) -> None:
        self.status, self.notice, self._is_whole = 0, "", False
        self._has_length, self._is_unanswered = False, True
        self._pieces.clear()
        if self._transport is not None:
            self._transport.write(request)

    async def wait_head(self) -> None:
        while not self.status:
            await self._wait()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes."""
        while True:
            while self._pieces:
                yield self._pieces.popleft()
            if self._is_whole:
                return
            await self._wait()

    async def wait_end(self) -> None:
        """Wait a moment for the rest of an answer whose last event has been read."""
        if not self._is_whole and not self._lost:
            try:
                async with asyncio.timeout(END_S):
                    async for _ in self.pieces():
                        pass
            except (TimeoutError, HostUnreachable):  # a host that is slow about it, or hangs up, has said all
                pass

    def abort(self, why: str) -> None:
        """Close at once; who waits is told why."""
        self._fail(why)
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._is_unanswered = False
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self.abort(f"it said something strange, {error}")
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        if self.status and not (self._has_length or self._lost or error):
            self._is_whole = True
        self.was_hung_up = self._is_unanswered and not self._lost
        self._fail(f"the connection was closed{f', {error}' if error else ''}")

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        self._has_length = self._has_length or name in _LENGTHS
        if name == _NOTICE:
            self.notice = unquote(value.decode("latin-1"))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        self.status = status if status >= 200 else 0

    def on_body(self, body: bytes) -> None:
        self._pieces.append(body)

    def on_message_complete(self) -> None:
        if self.status:
            self._is_whole = True
            if not self._parser.should_keep_alive():
                self._fail("it said goodbye")

    async def _wait(self) -> None:
        """Wait until more has come. Raises HostUnreachable if none will."""
        if self._lost:
            raise HostUnreachable(f"The model server does not answer: {self._lost}.")
        self._waiting = self._loop.create_future()
        late = self._loop.call_later(SILENCE_S, self.abort, "it was silent")
        try:
            await self._waiting
        finally:
            late.cancel()
            self._waiting = None

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _fail(self, why: str) -> None:
        self._lost = self._lost or why
        self._wake()
