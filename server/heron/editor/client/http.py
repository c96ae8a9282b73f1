"""What is asked of a model server over HTTP, and how its answers become deltas; `unix` and `network` carry it there."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, field
from typing import Any, Protocol

from heron.editor.client.answers import read_error
from heron.editor.client.events import EventParser
from heron.errors import HeronError
from heron.wire import Delta

Hear = Callable[[str], None]
"""Is told the server's notice with each answer, empty where there is none."""


@dataclass(frozen=True, slots=True)
class Post:
    """A request for a stream."""

    path: str
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer whose head has come; `pieces` are those of its body, to be read within the request's scope."""

    status: int
    pieces: AsyncIterator[bytes]

    async def read(self) -> bytes:
        """The whole body."""
        return b"".join([piece async for piece in self.pieces])


class Server(Protocol):
    """A server's open connections. What goes wrong with them is HostUnreachable."""

    def post(self, post: Post) -> AbstractAsyncContextManager[Answer]:
        """Send a request; leaving the scope before its answer's end ends the connection, and so the request."""
        ...

    async def ask(self, method: str, path: str, timeout_s: float | None = None) -> tuple[int, bytes]:
        """Status and body of a short answer, for which it may take so long; None for as long as any answer."""
        ...

    async def close(self) -> None:
        """Close all connections, also those in use."""
        ...


class Reader(Protocol):
    """Reads the events of one stream; `end` gives what was kept back when the stream is over."""

    def read(self, body: Any) -> Delta: ...

    def end(self) -> tuple[Delta, ...]: ...


async def stream(server: Server, post: Post, reader: Reader) -> AsyncGenerator[Delta, None]:
    """Deltas of the answer to a post. Raises the HeronError the server answers, HostUnreachable if it is lost."""
    async with server.post(post) as answer:
        if answer.status != 200:
            raise read_error(answer.status, await answer.read())
        async with aclosing(_read_events(answer)) as events:
            async for data in events:
                yield reader.read(parse_json(data))
        for delta in reader.end():
            yield delta


async def _read_events(answer: Answer) -> AsyncGenerator[str, None]:
    parser = EventParser()
    async for piece in answer.pieces:
        for data in parser.feed(piece):
            if data == "[DONE]":
                return
            yield data


def encode_json(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def parse_json(data: str | bytes) -> Any:
    """What a server sent as JSON. Raises HeronError."""
    try:
        return json.loads(data)
    except ValueError as error:
        raise HeronError("The server's answer is not JSON.") from error
