"""An editor for the protocol tests: the real language server in this process, its wire a queue and a list."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from heron.discovery import HostAddress
from heron.editor.lsp.framing import Framer, frame
from heron.editor.lsp.gate import Gate
from heron.editor.lsp.server import open_session
from heron.editor.lsp.session import Connect, Session
from heron.editor.lsp.stdio import read_messages
from heron.host.engine.scripted import ScriptedEngine
from heron.settings import Settings
from protocol.http_host import on_socket

URI = "file:///work/a.py"
TIMEOUT_S = 60
CAPABILITIES = {"window": {"workDoneProgress": True}, "general": {"positionEncodings": ["utf-16"]}}


class Editor:
    """Speaks JSON-RPC with the server; what the server sends on its own accord is kept in `received`."""

    SILENCE = object()

    def __init__(self, connect: Connect) -> None:
        self.session, self.gate = _open(connect, self)
        self.received: list[dict[str, Any]] = []
        self.responses: dict[Any, list[dict[str, Any]]] = {}
        self.chunks: asyncio.Queue[bytes] = asyncio.Queue()
        self.reading = asyncio.create_task(read_messages(self.gate, self.chunks))
        self.refuse_progress = False
        self.answers: dict[str, Any] = {}
        """Results of the server's requests by method, null for others; `SILENCE` leaves one unanswered."""
        self._framer = Framer()
        self._changed = asyncio.Condition()
        self._last_id = 0
        self._waking: set[asyncio.Task[None]] = set()

    def write(self, data: bytes) -> None:
        """What the server's writer calls."""
        for body in self._framer.feed(data):
            assert isinstance(body, bytes)
            self._take(json.loads(body))
        self._wake()

    def close(self) -> None:
        """What the server's writer calls."""

    def send(self, *messages: object) -> None:
        """Send messages in one write."""
        self.chunks.put_nowait(b"".join(frame(json.dumps(message).encode()) for message in messages))

    def notify(self, method: str, params: object = None) -> None:
        self.send(notification(method, params))

    def start(self, method: str, params: object = None) -> int:
        self._last_id += 1
        self.send(call(self._last_id, method, params))
        return self._last_id

    async def wait(self, request_id: int | str | None) -> dict[str, Any]:
        await self.wait_for(lambda: bool(self.responses.get(request_id)))
        return self.responses[request_id][0]

    async def request(self, method: str, params: object = None) -> dict[str, Any]:
        return await self.wait(self.start(method, params))

    async def wait_for(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(TIMEOUT_S), self._changed:
            await self._changed.wait_for(condition)

    async def initialize(self, options: object = None, **params: object) -> dict[str, Any]:
        given = {"processId": None, "rootUri": None, "capabilities": CAPABILITIES, "initializationOptions": options}
        response = await self.request("initialize", given | params)
        self.notify("initialized", {})
        return response

    async def wait_ready(self) -> None:
        await self.wait_for(lambda: any(params["state"] == "ready" for params in self.told("heron/status")))

    def told(self, method: str) -> list[dict[str, Any]]:
        """Params of the notifications and requests of a method, in order."""
        return [message["params"] for message in self.received if message["method"] == method]

    def open(self, text: str, uri: str = URI, language: str = "python") -> None:
        item = {"uri": uri, "languageId": language, "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def insert(self, version: int, line: int, character: int, text: str, uri: str = URI) -> None:
        self.notify("textDocument/didChange", insertion(version, line, character, text, uri))

    def ask(self, line: int, character: int, uri: str = URI, **context: object) -> int:
        """Start a request for a completion."""
        return self.start("textDocument/inlineCompletion", question(line, character, uri, **context))

    async def complete(self, line: int, character: int, uri: str = URI, **context: object) -> str | None:
        """The text of the completion, None without one."""
        response = await self.wait(self.ask(line, character, uri, **context))
        return None if response["result"] is None else response["result"][0]["insertText"]

    async def outcome(self) -> str:
        """How the last completion went."""
        timings = (await self.request("heron/lastTimings"))["result"]
        return str(timings["outcome"])

    def _take(self, message: dict[str, Any]) -> None:
        if "method" not in message:
            self.responses.setdefault(message["id"], []).append(message)
            return
        self.received.append(message)
        answer = self.answers.get(message["method"])
        if "id" in message and answer is not self.SILENCE:
            body = {"error": {"code": -32600, "message": "no"}} if self.refuse_progress else {"result": answer}
            self.send({"jsonrpc": "2.0", "id": message["id"], **body})

    def _wake(self) -> None:
        async def wake() -> None:
            async with self._changed:
                self._changed.notify_all()

        task = asyncio.ensure_future(wake())
        self._waking.add(task)
        task.add_done_callback(self._waking.discard)


def _open(connect: Connect, editor: Editor) -> tuple[Session, Gate]:
    return open_session(connect, editor)


def call(request_id: int | str, method: str, params: object = None) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}


def notification(method: str, params: object = None) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params}


def insertion(version: int, line: int, character: int, text: str, uri: str = URI) -> dict[str, Any]:
    place = {"line": line, "character": character}
    change = {"range": {"start": place, "end": place}, "text": text}
    return {"textDocument": {"uri": uri, "version": version}, "contentChanges": [change]}


def question(line: int, character: int, uri: str = URI, **context: object) -> dict[str, Any]:
    return {
        "textDocument": {"uri": uri},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": 2} | context,
    }


@asynccontextmanager
async def editor_of(connect: Connect) -> AsyncIterator[Editor]:
    """An editor before `initialize`; its server is closed at the end."""
    editor = Editor(connect)
    try:
        yield editor
    finally:
        editor.chunks.put_nowait(b"")
        await editor.reading
        await editor.session.close()


@asynccontextmanager
async def editor_with(
    engine: ScriptedEngine, folder: Path, options: object = None, **params: object
) -> AsyncIterator[Editor]:
    """An initialized editor whose server has found a ready host on a real Unix socket."""

    async def connect(settings: Settings) -> HostAddress:
        return HostAddress("http://host", socket_path=str(folder / "host.sock"))

    async with on_socket(engine, folder), editor_of(connect) as editor:
        await editor.initialize(options, **params)
        await editor.wait_ready()
        yield editor


async def connect_nowhere(settings: Settings) -> HostAddress:
    """Never finds a host, as while one is starting."""
    await asyncio.Event().wait()
    raise AssertionError
