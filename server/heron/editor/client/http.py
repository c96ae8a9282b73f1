"""HTTP to the model server: one connection pool, posts answered by a stream of events, errors in our terms.

httpx is imported when the first connection is made, not when the language server starts.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote

from heron.discovery import HostAddress
from heron.editor.client.answers import read_error
from heron.editor.client.events import EventParser
from heron.errors import HeronError, HostUnreachable
from heron.wire import CLIENT_HEADER, NOTICE_HEADER, Delta

if TYPE_CHECKING:
    import httpx

_CONNECT_S = 5.0
_SILENCE_S = 60.0
"""A server that sends nothing for so long is taken for dead; what a user waits for is bounded far below."""
_END_S = 0.1
"""How long the end of an answer may take after its last event."""

Hear = Callable[[str], None]
"""Is told the server's notice with each answer, empty where there is none."""


@dataclass(frozen=True, slots=True)
class Post:
    """A request for a stream."""

    path: str
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


class Reader(Protocol):
    """Reads the events of one stream; `end` gives what was kept back when the stream is over."""

    def read(self, body: Any) -> Delta: ...

    def end(self) -> tuple[Delta, ...]: ...


def open_http(address: HostAddress, hear: Hear) -> "httpx.AsyncClient":
    """A connection pool for a server; nothing is sent yet. `hear` is told what each answer says of the server."""
    import httpx

    async def read_notice(response: httpx.Response) -> None:
        hear(unquote(response.headers.get(NOTICE_HEADER, "")))

    transport = _open_transport(address)
    headers = {CLIENT_HEADER: secrets.token_hex(8)}  # a name for this connection pool: clients share a host fairly
    if address.token:
        headers["Authorization"] = f"Bearer {address.token}"
    timeout = httpx.Timeout(_SILENCE_S, connect=_CONNECT_S)
    base_url = address.base_url.removesuffix("/").removesuffix("/v1")
    hooks = {"response": [read_notice]}
    return httpx.AsyncClient(
        transport=transport, base_url=base_url, headers=headers, timeout=timeout, event_hooks=hooks
    )


def _open_transport(address: HostAddress) -> "httpx.AsyncBaseTransport":
    import httpx

    if not address.socket_path:
        return httpx.AsyncHTTPTransport(trust_env=False)
    from heron.editor.client.unix import UnixTransport

    return UnixTransport(address.socket_path)


async def stream(http: "httpx.AsyncClient", post: Post, reader: Reader) -> AsyncGenerator[Delta, None]:
    """Deltas of the answer to a post. Raises the HeronError the server answers, HostUnreachable if it is lost."""
    with mapped_errors(http):
        async with http.stream("POST", post.path, json=post.body, headers=post.headers) as response:
            if response.status_code != 200:
                raise read_error(response.status_code, await response.aread())
            async with aclosing(_read_stream(response, reader)) as deltas:
                async for delta in deltas:
                    yield delta


async def _read_stream(response: "httpx.Response", reader: Reader) -> AsyncGenerator[Delta, None]:
    async with aclosing(_read_events(response)) as events:
        async for data in events:
            yield reader.read(parse_json(data))
    for delta in reader.end():
        yield delta


async def _read_events(response: "httpx.Response") -> AsyncGenerator[str, None]:
    parser = EventParser()
    chunks = response.aiter_bytes()
    async for chunk in chunks:
        for data in parser.feed(chunk):
            if data == "[DONE]":
                await _read_end(chunks)
                return
            yield data


async def _read_end(chunks: AsyncIterator[bytes]) -> None:
    """Read a whole answer's last bytes: only a connection without any left is used again."""
    import httpx

    with suppress(TimeoutError, httpx.HTTPError):  # a server that is slow about it, or hangs up, has said all
        async with asyncio.timeout(_END_S):
            async for _ in chunks:
                pass


def parse_json(data: str | bytes) -> Any:
    """What a server sent as JSON. Raises HeronError."""
    try:
        return json.loads(data)
    except ValueError as error:
        raise HeronError("The server's answer is not JSON.") from error


@contextmanager
def mapped_errors(http: "httpx.AsyncClient | None" = None) -> Iterator[None]:
    """Turn what httpx raises for a connection that is lost, wrong or closed meanwhile into HostUnreachable."""
    import httpx

    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise HostUnreachable(f"The model server does not answer: {error or type(error).__name__}.") from error
    except RuntimeError as error:
        if http is None or not http.is_closed:
            raise
        raise HostUnreachable("The connection to the model server was closed.") from error
