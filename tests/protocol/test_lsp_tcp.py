"""`heron lsp --tcp`: a server object for each connection over one host; who is let in, and what ends with whom."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from heron.discovery import HostAddress
from heron.editor.lsp import peer, tcp
from heron.editor.lsp.framing import Framer, frame
from heron.editor.lsp.tcp import TcpDoor, serve_client
from heron.settings import Settings
from homes import environment

INITIALIZE = {"processId": None, "rootUri": None, "capabilities": {}}
TIMEOUT_S = 60
URI = "file:///w/a.py"


class Connection:
    """A client's end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer, self._framer = reader, writer, Framer()
        self._arrived: list[dict[str, Any]] = []

    def send(self, message: dict[str, Any]) -> None:
        self.writer.write(frame(json.dumps({"jsonrpc": "2.0", **message}).encode()))

    async def ask(self, id: int, method: str, params: object) -> dict[str, Any]:
        self.send({"id": id, "method": method, "params": params})
        return await self.wait(lambda message: message.get("id") == id and "method" not in message)

    async def wait(self, is_it: Any) -> dict[str, Any]:
        async with asyncio.timeout(TIMEOUT_S):
            while not (found := [message for message in self._arrived if is_it(message)]):
                chunk = await self.reader.read(1 << 16)
                assert chunk, "the server closed the connection"
                self._arrived += [json.loads(item) for item in self._framer.feed(chunk) if isinstance(item, bytes)]
        return found[0]

    async def has_ended(self) -> bool:
        with suppress(ConnectionResetError):
            async with asyncio.timeout(TIMEOUT_S):
                while await self.reader.read(1 << 16):
                    pass
        return True


async def nowhere(settings: Settings) -> HostAddress:
    return HostAddress("http://127.0.0.1:1")


@asynccontextmanager
async def listening(door: TcpDoor) -> AsyncIterator[int]:
    """A port where each connection gets a server of this process."""
    server = await asyncio.start_server(lambda *ends: serve_client(nowhere, door, *ends), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Connection]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()


def needing_a_token() -> TcpDoor:
    return TcpDoor("127.0.0.1", 0, admits=lambda token: token == "right")


@pytest.fixture
def real_port(tmp_path: Path) -> Iterator[int]:
    """The port of a real process, whose home has a host of its own. Both are started, which takes seconds."""
    told = environment(tmp_path, HERON_ENGINE="scripted")
    command = [sys.executable, "-m", "heron", "lsp", "--tcp", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=told) as process:
        assert process.stdout
        try:
            yield int(process.stdout.readline().rpartition(b":")[2])
        finally:
            process.terminate()
            subprocess.run([sys.executable, "-m", "heron", "host", "--stop"], env=told, check=True)
    assert process.returncode == 0, "SIGTERM ends it in order"


def is_ready(message: dict[str, Any]) -> bool:
    return message.get("method") == "heron/status" and message["params"]["state"] == "ready"


async def test_two_editors_have_documents_of_their_own_and_one_host(real_port: int) -> None:
    texts = ("x = ", "def f():\n    return ")
    async with connected(real_port) as first, connected(real_port) as second:
        for connection, text in zip((first, second), texts, strict=True):
            await connection.ask(1, "initialize", INITIALIZE)
            connection.send({"method": "initialized", "params": {}})
            item = {"uri": URI, "languageId": "python", "version": 1, "text": text}
            connection.send({"method": "textDocument/didOpen", "params": {"textDocument": item}})
        for connection in (first, second):
            await connection.wait(is_ready)
        answers = await asyncio.gather(complete(first, 0, 4), complete(second, 1, 11))
        assert answers == ["42", "42"]
        await first.ask(3, "shutdown", None)
        first.send({"method": "exit"})
        assert await first.has_ended()
        assert "result" in await second.ask(3, "heron/lastTimings", None), "the other goes on"


async def complete(connection: Connection, line: int, character: int) -> str:
    position = {"line": line, "character": character}
    params = {"textDocument": {"uri": URI}, "context": {"triggerKind": 1}, "position": position}
    answer = await connection.ask(2, "textDocument/inlineCompletion", params)
    text: str = answer["result"][0]["insertText"]
    return text


async def test_a_token_opens_the_door_and_is_no_setting() -> None:
    async with listening(needing_a_token()) as port, connected(port) as client:
        answer = await client.ask(1, "initialize", INITIALIZE | {"initializationOptions": {"token": "right"}})
        assert "capabilities" in answer["result"]
        assert "result" in await client.ask(2, "heron/lastTimings", None)


@pytest.mark.parametrize(
    "message",
    [
        {"id": 1, "method": "initialize", "params": INITIALIZE},
        {"id": 1, "method": "initialize", "params": INITIALIZE | {"initializationOptions": {"token": "wrong"}}},
        {"id": 1, "method": "initialize", "params": INITIALIZE | {"initializationOptions": {"token": ["right"]}}},
        {"id": 1, "method": "initialize", "params": ["right"]},
        {"id": 1, "method": "shutdown"},
        {"method": "initialize", "params": {"initializationOptions": "right"}},
    ],
)
async def test_without_it_a_connection_is_told_and_closed(message: dict[str, Any]) -> None:
    async with listening(needing_a_token()) as port, connected(port) as client:
        client.send(message)
        refusal = await client.wait(lambda answer: "error" in answer)
        assert "initializationOptions.token" in refusal["error"]["message"]
        assert await client.has_ended()


async def test_bytes_that_are_no_message_and_silence_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(needing_a_token()) as port:
        async with connected(port) as client:
            client.writer.write(b"Content-Length: 3\r\n\r\n{]}")
            assert await client.has_ended()
        async with connected(port) as client:
            client.writer.write(b"Content-Length: 200000000\r\n\r\n" + b" " * (2 << 20))
            assert await client.has_ended()
        monkeypatch.setattr(tcp, "ADMISSION_S", 0.01)
        async with connected(port) as client:
            assert await client.has_ended()


async def test_whoever_closes_frees_the_server() -> None:
    ended = asyncio.Event()

    async def serve(*ends: Any) -> None:
        await serve_client(nowhere, TcpDoor("127.0.0.1", 0), *ends)
        ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        async with connected(server.sockets[0].getsockname()[1]) as client:
            await client.ask(1, "initialize", INITIALIZE)
        await asyncio.wait_for(ended.wait(), TIMEOUT_S)


async def test_the_system_tells_whose_a_connection_is(monkeypatch: pytest.MonkeyPatch) -> None:
    found: asyncio.Queue[bool] = asyncio.Queue()

    def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.put_nowait(peer.is_strangers(writer))
        writer.close()

    async with await asyncio.start_server(take, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with connected(port):
            assert await found.get() is False
        if not sys.platform.startswith("linux"):
            return
        monkeypatch.setattr(peer, "owners", lambda port, remote_port: iter([os.getuid() + 1]))
        async with connected(port):
            assert await found.get() is True
