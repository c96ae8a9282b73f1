"""A model server on the network, by httpx, which is imported when the first connection is made."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from urllib.parse import unquote

import httpx

from heron.discovery import HostAddress
from heron.editor.client.http import Answer, Hear, Post, encode_json
from heron.errors import HostUnreachable
from heron.wire import CLIENT_HEADER, NOTICE_HEADER

_CONNECT_S = 5.0
_SILENCE_S = 60.0
"""A server that sends nothing for so long is taken for dead; what a user waits for is bounded far below."""
_END_S = 0.1
"""How long the end of an answer may take after its last event."""


class NetworkServer:
    """A connection pool for one server; the environment's proxies are not asked."""

    def __init__(self, address: HostAddress, hear: Hear) -> None:
        headers = {CLIENT_HEADER: secrets.token_hex(8)}  # a name for this pool: clients share a host fairly
        if address.token:
            headers["Authorization"] = f"Bearer {address.token}"
        self._hear = hear
        with _mapped_errors():
            self._http = httpx.AsyncClient(
                transport=httpx.AsyncHTTPTransport(trust_env=False),
                base_url=address.base_url.removesuffix("/").removesuffix("/v1"),
                headers=headers,
                timeout=httpx.Timeout(_SILENCE_S, connect=_CONNECT_S),
            )

    @asynccontextmanager
    async def post(self, post: Post) -> AsyncIterator[Answer]:
        headers = {"Content-Type": "application/json", **post.headers}
        content = encode_json(post.body)
        with _mapped_errors(self._http):
            async with self._http.stream("POST", post.path, content=content, headers=headers) as response:
                self._hear(_notice(response))
                pieces = response.aiter_bytes()
                yield Answer(response.status_code, pieces)
                await _read_end(pieces)

    async def ask(self, method: str, path: str, timeout_s: float | None = None) -> tuple[int, bytes]:
        with _mapped_errors(self._http):
            response = await self._http.request(method, path, timeout=timeout_s or self._http.timeout)
        self._hear(_notice(response))
        return response.status_code, response.content

    async def close(self) -> None:
        await self._http.aclose()


def _notice(response: httpx.Response) -> str:
    return unquote(response.headers.get(NOTICE_HEADER, ""))


async def _read_end(pieces: AsyncIterator[bytes]) -> None:
    """Read a whole answer's last bytes: only a connection without any left is used again."""
    with suppress(TimeoutError, httpx.HTTPError):  # a server that is slow about it, or hangs up, has said all
        async with asyncio.timeout(_END_S):
            async for _ in pieces:
                pass


@contextmanager
def _mapped_errors(http: httpx.AsyncClient | None = None) -> Iterator[None]:
    """Turn what httpx raises for a connection that is lost, wrong or closed meanwhile into HostUnreachable."""
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise HostUnreachable(f"The model server does not answer: {error or type(error).__name__}.") from error
    except RuntimeError as error:
        if http is None or not http.is_closed:
            raise
        raise HostUnreachable("The connection to the model server was closed.") from error
