"""A model server by TCP, whatever the environment says of proxies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import pytest

from heron.discovery import HostAddress
from heron.editor.client.http import Post
from heron.editor.client.opening import open_server
from heron.errors import HostUnreachable
from heron.wire import NOTICE_HEADER

_ANSWER = f"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n{NOTICE_HEADER}: {quote('für')}\r\n\r\nhello".encode()


@asynccontextmanager
async def listening(asked: list[bytes]) -> AsyncIterator[str]:
    """The address of a server that notes what it is asked."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(65536):
                asked.append(piece)
                if b"\r\n\r\n" in piece:
                    writer.write(_ANSWER)
        finally:
            writer.close()

    async with asyncio.timeout(20), await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_proxy_that_the_environment_names_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    seen: list[bytes] = []
    asked: list[bytes] = []
    heard: list[str] = []
    async with listening(seen) as proxy, listening(asked) as url:
        for name in ("http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy)
        server = open_server(HostAddress(f"{url}/v1/", token="a token"), heard.append)
        assert await server.ask("GET", "/healthz") == (200, b"hello")
        async with server.post(Post("/v1/completions", {"prompt": "é"})) as answer:
            assert (answer.status, await answer.read()) == (200, b"hello")
        await server.close()
    assert not seen
    assert asked[0].startswith(b"GET /healthz HTTP/1.1\r\n")
    assert b"authorization: bearer a token" in asked[0].lower()
    assert '{"prompt":"é"}'.encode() in b"".join(asked)
    assert heard == ["für", "für"]


async def test_a_server_that_is_not_there_is_unreachable() -> None:
    async with listening([]) as url:
        pass
    server = open_server(HostAddress(url), lambda notice: None)
    with pytest.raises(HostUnreachable):
        await server.ask("GET", "/")
    await server.close()
