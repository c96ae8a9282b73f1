"""HTTP over a real Unix socket, whose other end says what a test wants it to."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heron.discovery import HostAddress
from heron.editor.client import unix
from heron.editor.client.answers import CompletionReader
from heron.editor.client.http import Post, Server, stream
from heron.editor.client.opening import open_server
from heron.editor.client.unix import Connection, UnixServer
from heron.errors import HostUnreachable
from heron.wire import CLIENT_HEADER, NOTICE_HEADER, Delta

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

    @asynccontextmanager
    async def server(self) -> AsyncIterator[Server]:
        server = open_server(HostAddress("http://localhost", self.path, "a token"), lambda notice: None)
        yield server
        await server.close()


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
    async with hosting(tmp_path, saying(*_HELLO)) as host, host.server() as server:
        for body in ("a", "b"):
            async with server.post(Post("/v1/x", {"prompt": body}, {"X-Own": body})) as answer:
                assert (answer.status, await answer.read()) == (200, b"hello")
    assert host.num_connections == 1
    assert [body.rpartition(b"\r\n\r\n")[2] for body in host.asked] == [b'{"prompt":"a"}', b'{"prompt":"b"}']


async def test_a_request_says_who_asks_and_how_long_it_is(tmp_path: Path) -> None:
    async with hosting(tmp_path, saying(*_HELLO)) as host, host.server() as server:
        async with server.post(Post("/v1/x", {"é": 1}, {"X-Own": "yes"})):
            pass
        await server.ask("GET", "/healthz")
    first, second = (asked.decode().split("\r\n") for asked in host.asked)
    client = next(line for line in first if line.startswith(CLIENT_HEADER))
    assert first[0] == "POST /v1/x HTTP/1.1"
    assert {"Host: localhost", "Authorization: Bearer a token", "X-Own: yes", "Content-Length: 8"} <= {*first}
    assert second[0] == "GET /healthz HTTP/1.1"
    assert client in second


async def test_a_request_is_written_in_one_piece() -> None:
    class Transport(asyncio.Transport):
        def __init__(self) -> None:
            super().__init__()
            self.pieces: list[bytes] = []

        def write(self, data: bytes | bytearray | memoryview) -> None:
            self.pieces.append(bytes(data))

        def abort(self) -> None: ...

    transport, connection = Transport(), Connection()
    connection.connection_made(transport)
    connection.send(b"head and body")
    assert transport.pieces == [b"head and body"]


async def test_streams_at_once_have_connections_of_their_own(tmp_path: Path) -> None:
    async with hosting(tmp_path, saying(*_HELLO)) as host, host.server() as server:
        assert await asyncio.gather(*(server.ask("GET", "/") for _ in range(5))) == [(200, b"hello")] * 5
    assert host.num_connections == 5


async def test_a_connection_left_amid_an_answer_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unix, "END_S", 0.0)
    async with hosting(tmp_path, saying(_HEAD, chunk(b"hel"))) as host, host.server() as server:
        for _ in range(2):
            async with server.post(Post("/", {})) as answer:
                assert await anext(answer.pieces) == b"hel"
    assert host.num_connections == 2


async def test_cancelling_a_request_ends_its_connection(tmp_path: Path) -> None:
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asking.cancel()
        while await reader.read(1024):
            pass
        gone.set()
        writer.close()

    path = str(tmp_path / "h.sock")
    async with asyncio.timeout(20), await asyncio.start_unix_server(serve, path):
        asking = asyncio.create_task(ask(Host(path, saying())))
        with pytest.raises(asyncio.CancelledError):
            await asking
        await gone.wait()


async def test_a_connection_the_host_closed_meanwhile_is_not_used(tmp_path: Path) -> None:
    async with hosting(tmp_path, saying(b"".join(_HELLO), leave=True)) as host, host.server() as server:
        assert isinstance(server, UnixServer)
        for _ in range(2):
            assert await server.ask("GET", "/") == (200, b"hello")
            for connection in [*server._idle]:
                with suppress(HostUnreachable):
                    await connection._wait()
                assert not connection.can_be_reused
    assert host.num_connections == 2


def hanging_up_on(last: int) -> Say:
    """Answers requests before that one; it is read, and its connection closed without a word."""
    num_asked = 0

    async def say(writer: asyncio.StreamWriter) -> None:
        nonlocal num_asked
        num_asked += 1
        if num_asked == last:
            writer.close()
        else:
            await saying(*_HELLO)(writer)

    return say


async def test_a_kept_connection_closed_as_it_is_asked_costs_nothing(tmp_path: Path) -> None:
    async with hosting(tmp_path, hanging_up_on(2)) as host, host.server() as server:
        assert [await server.ask("GET", "/") for _ in range(3)] == [(200, b"hello")] * 3
    assert host.num_connections == 2
    assert len(host.asked) == 4


async def test_a_kept_connection_of_a_silent_host_is_no_reason_to_ask_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([_HELLO, ()])
    async with hosting(tmp_path, lambda writer: saying(*next(answers))(writer)) as host, host.server() as server:
        await server.ask("GET", "/")
        monkeypatch.setattr(unix, "SILENCE_S", 0.05)
        with pytest.raises(HostUnreachable, match="silent"):
            await server.ask("GET", "/")
    assert host.num_connections == 1


async def test_an_answer_that_says_goodbye_is_the_last_of_its_connection(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"
    async with hosting(tmp_path, saying(answer)) as host, host.server() as server:
        assert [await server.ask("GET", "/") for _ in range(2)] == [(503, b"no")] * 2
    assert host.num_connections == 2


async def test_what_is_said_before_the_answer_is_passed_over(tmp_path: Path) -> None:
    async with hosting(tmp_path, saying(b"HTTP/1.1 100 Continue\r\n\r\n", *_HELLO)) as host, host.server() as server:
        assert await server.ask("GET", "/") == (200, b"hello")


async def test_the_servers_notice_is_heard_with_each_answer(tmp_path: Path) -> None:
    heard: list[str] = []
    head = b"HTTP/1.1 200 OK\r\n%s: f%%C3%%BCr\r\nContent-Length: 0\r\n\r\n" % NOTICE_HEADER.lower().encode()
    async with hosting(tmp_path, saying(head)) as host:
        server = open_server(HostAddress("http://localhost", host.path), heard.append)
        await server.ask("GET", "/")
        await server.close()
    assert heard == ["für"]


@pytest.mark.parametrize(
    ("pieces", "leaves", "problem"),
    [
        ((b"",), True, "closed"),
        ((b"HTTP/1.1 200",), True, "closed"),
        ((b"nonsense\r\n\r\n",), False, "strange"),
        ((_HEAD, chunk(b"hel")), True, "closed"),
        ((_HEAD, b"zz\r\n"), False, "strange"),
        ((_HEAD, chunk(b"hel")), False, "silent"),
        ((b"HTTP/1.1 200 OK\r\n\r\nhel",), False, "silent"),
        ((b"",), False, "silent"),
    ],
)
async def test_what_goes_wrong_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pieces: tuple[bytes, ...], leaves: bool, problem: str
) -> None:
    monkeypatch.setattr(unix, "SILENCE_S", 0.05 if problem == "silent" else 20.0)
    async with hosting(tmp_path, saying(*pieces, leave=leaves)) as host, host.server() as server:
        with pytest.raises(HostUnreachable, match=problem):
            await server.ask("GET", "/")


async def test_a_short_answer_may_take_no_longer_than_is_said(tmp_path: Path) -> None:
    async with hosting(tmp_path, saying(_HEAD, chunk(b"hel"))) as host, host.server() as server:
        with pytest.raises(HostUnreachable):
            await server.ask("GET", "/", 0.05)


async def test_a_host_that_is_not_there_cannot_be_connected_to(tmp_path: Path) -> None:
    async with Host(str(tmp_path / "none.sock"), saying()).server() as server:
        with pytest.raises(HostUnreachable):
            await server.ask("GET", "/")


async def test_closing_ends_a_stream_that_runs(tmp_path: Path) -> None:
    async with (
        hosting(tmp_path, saying(_HEAD, chunk(b"hel"))) as host,
        host.server() as server,
        server.post(Post("/", {})) as answer,
    ):
        assert await anext(answer.pieces) == b"hel"
        await server.close()
        with pytest.raises(HostUnreachable, match="closed"):
            await anext(answer.pieces)


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
    deltas: list[Delta] = []
    async with host.server() as server:
        for _ in range(times):
            async with aclosing(stream(server, Post("/v1/completions", {}), CompletionReader())) as answer:
                deltas += [delta async for delta in answer]
    return deltas
