"""HTTP over a real Unix socket, whose other end says what a test wants it to."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heron.discovery import HostAddress
from heron.editor.client.answers import CompletionReader
from heron.editor.client.http import Post, open_http, stream
from heron.editor.client.unix import Connection, UnixTransport
from heron.errors import HostUnreachable
from heron.wire import Delta

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
Say = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Host:
    """Answers each request as it is told; `asked` is what it read."""

    path: str
    say: Say
    num_connections: int = 0
    asked: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.num_connections += 1
        try:
            while piece := await reader.read(1 << 20):
                self.asked.append(piece)
                await self.say(writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    def client(self, timeout_s: float = 20.0) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=UnixTransport(self.path), base_url="http://host", timeout=timeout_s)


@asynccontextmanager
async def hosting(folder: Path, say: Say) -> AsyncIterator[Host]:
    host = Host(str(folder / "h.sock"), say)
    async with asyncio.timeout(20), await asyncio.start_unix_server(host.serve, host.path):
        yield host


def saying(*pieces: bytes, leave: bool = False) -> Say:
    async def say(writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0)
        if leave:
            writer.close()

    return say


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data) if data else b""


def event(**choice: object) -> bytes:
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


_HELLO = (_HEAD, chunk(b"hel"), chunk(b"lo"), b"0\r\n\r\n")


async def test_a_connection_is_used_again(tmp_path: Path) -> None:
    async with hosting(tmp_path, saying(*_HELLO)) as host, host.client() as client:
        for body in ("a", "b"):
            assert (await client.post("/v1/x", json={"prompt": body})).text == "hello"
    assert host.num_connections == 1
    assert [body.rpartition(b"\r\n\r\n")[2] for body in host.asked] == [b'{"prompt":"a"}', b'{"prompt":"b"}']


async def test_a_request_is_written_in_one_piece() -> None:
    class Writer(asyncio.StreamWriter):
        def __init__(self) -> None:
            self.pieces: list[bytes] = []

        def write(self, data: bytes | bytearray | memoryview) -> None:
            self.pieces.append(bytes(data))

        def __del__(self) -> None: ...

    writer, request = Writer(), httpx.Request("POST", "http://host/v1/x", content=b"body")
    Connection(asyncio.StreamReader(), writer).send(request, b"body", None)
    assert [piece.partition(b" ")[0] + piece[-4:] for piece in writer.pieces] == [b"POSTbody"]


async def test_streams_at_once_have_connections_of_their_own(tmp_path: Path) -> None:
    async with hosting(tmp_path, saying(*_HELLO)) as host, host.client() as client:
        answers = await asyncio.gather(*(client.get("/") for _ in range(5)))
        assert [answer.text for answer in answers] == ["hello"] * 5
    assert host.num_connections == 5


async def test_a_connection_left_amid_an_answer_is_closed(tmp_path: Path) -> None:
    async with hosting(tmp_path, saying(_HEAD, chunk(b"hel"))) as host, host.client() as client:
        for _ in range(2):
            async with client.stream("GET", "/") as answer:
                assert await anext(answer.aiter_bytes()) == b"hel"
    assert host.num_connections == 2


async def test_a_connection_the_host_closed_meanwhile_is_not_used(tmp_path: Path) -> None:
    async with hosting(tmp_path, saying(b"".join(_HELLO), leave=True)) as host, host.client() as client:
        for _ in range(2):
            assert (await client.get("/")).text == "hello"
            transport = client._transport
            assert isinstance(transport, UnixTransport)
            await transport._idle[0].reader._wait_for_data("the end")
    assert host.num_connections == 2


@pytest.mark.parametrize(
    ("pieces", "leaves", "expected"),
    [
        ((b"",), True, httpx.RemoteProtocolError),
        ((b"HTTP/1.1 200",), True, httpx.RemoteProtocolError),
        ((b"nonsense\r\n\r\n",), False, httpx.RemoteProtocolError),
        ((_HEAD, chunk(b"hel")), True, httpx.RemoteProtocolError),
        ((_HEAD, b"zz\r\n"), False, httpx.RemoteProtocolError),
        ((_HEAD, chunk(b"hel")), False, httpx.ReadTimeout),
        ((b"",), False, httpx.ReadTimeout),
    ],
)
async def test_what_goes_wrong_is_told_in_httpx_terms(
    tmp_path: Path, pieces: tuple[bytes, ...], leaves: bool, expected: type[Exception]
) -> None:
    timeout_s = 0.05 if expected is httpx.ReadTimeout else 20.0
    async with hosting(tmp_path, saying(*pieces, leave=leaves)) as host, host.client(timeout_s) as client:
        with pytest.raises(expected):
            await client.get("/")


async def test_a_host_that_is_not_there_cannot_be_connected_to(tmp_path: Path) -> None:
    async with Host(str(tmp_path / "none.sock"), saying()).client() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("/")


async def test_closing_ends_a_stream_that_runs(tmp_path: Path) -> None:
    async with (
        hosting(tmp_path, saying(_HEAD, chunk(b"hel"))) as host,
        host.client() as client,
        client.stream("GET", "/") as answer,
    ):
        pieces = answer.aiter_bytes()
        assert await anext(pieces) == b"hel"
        await client.aclose()
        with pytest.raises(httpx.HTTPError):
            await anext(pieces)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 400), max_size=8))
async def test_answers_may_be_cut_anywhere(tmp_path: Path, cuts: list[int]) -> None:
    events = (event(text="é"), event(text="b", finish_reason="stop"), b"data: [DONE]\n\n")
    whole = b"".join((_HEAD, *map(chunk, events), b"0\r\n\r\n"))
    places = [0, *sorted(cuts), len(whole)]
    pieces = [whole[begin:end] for begin, end in pairwise(places)]
    async with hosting(tmp_path, saying(*pieces)) as host:
        for _ in range(2):
            deltas = await ask(host)
            assert "".join(delta.text for delta in deltas) == "éb"
            assert deltas[-1].finish_reason == "stop"


async def test_the_client_reads_answers_to_their_end_and_so_keeps_its_connection(tmp_path: Path) -> None:
    answer = b"".join((_HEAD, chunk(event(finish_reason="stop")), chunk(b"data: [DONE]\n\n"), b"0\r\n\r\n"))
    async with hosting(tmp_path, saying(answer)) as host:
        await ask(host, times=3)
    assert host.num_connections == 1


async def test_an_answer_is_whole_when_its_server_hangs_up_after_the_last_event(tmp_path: Path) -> None:
    answer = (_HEAD, chunk(event(text="a", finish_reason="stop")), chunk(b"data: [DONE]\n\n"))
    async with hosting(tmp_path, saying(*answer, leave=True)) as host:
        assert [delta.text for delta in await ask(host)] == ["a"]


async def test_an_answer_that_breaks_off_before_its_end_is_none(tmp_path: Path) -> None:
    async with hosting(tmp_path, saying(_HEAD, chunk(event(text="a")), leave=True)) as host:
        with pytest.raises(HostUnreachable):
            await ask(host)


async def ask(host: Host, times: int = 1) -> list[Delta]:
    """The deltas of as many answers, one after the other, as the product asks for them."""
    async with open_http(HostAddress("http://localhost", host.path), lambda notice: None) as http:
        posts = [Post("/v1/completions", {})] * times
        return [delta for post in posts async for delta in stream(http, post, CompletionReader())]
