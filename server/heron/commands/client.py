"""A small LSP client over a real `heron lsp` process: what an editor sends, and what it would get."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from heron import __version__
from heron.commands.rpc import Peer, open_peer
from heron.editor.document import Document, Position
from heron.errors import ModelUnavailable, SystemFault
from heron.wire import Health

_CAPABILITIES = {
    "general": {"positionEncodings": ["utf-32"]},
    "textDocument": {
        "inlineCompletion": {},
        "synchronization": {},
        "codeAction": {
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}},
            "dataSupport": True,
            "resolveSupport": {"properties": ["edit"]},
        },
    },
    "workspace": {"workspaceEdit": {"documentChanges": True}},
    "window": {"workDoneProgress": True},
}
_INVOKED = 1
Report = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Cursor:
    """A document as it stands in an editor, and where its cursor is."""

    document: Document
    position: Position


@dataclass(frozen=True, slots=True)
class Offer:
    """What the server offered at a cursor: the text inserted there (None: nothing), and what it took."""

    text: str | None
    elapsed_ms: float
    timings: dict[str, Any]


@dataclass(slots=True)
class Client:
    """An initialized session with `heron lsp`. `started_ms` is from spawning it to its answer to initialize."""

    peer: Peer
    status: "asyncio.Queue[Health]"
    started_ms: float
    progress: dict[str, Report] = field(default_factory=dict)
    """Who is told of a progress, by its token."""
    documents: set[str] = field(default_factory=set)
    """URIs of those that are open."""

    async def wait_ready(self, report: Callable[[Health], None]) -> str:
        """Report each state of the model until it is ready; its name. Raises ModelUnavailable, in the host's words."""
        while True:
            health = await self._next_status()
            report(health)
            if health.state == "ready":
                return health.model
            if health.state == "failed":
                raise ModelUnavailable(health.message or "The model could not be loaded.")

    async def complete(self, cursor: Cursor) -> Offer:
        """Ask at a cursor, the document being open meanwhile."""
        async with self.opened(cursor.document):
            began = time.perf_counter()
            answer = await self.peer.request("textDocument/inlineCompletion", _question(cursor))
            elapsed_ms = (time.perf_counter() - began) * 1000
            timings = await self.peer.request("heron/lastTimings", {})
        return Offer(_inserted_text(answer, cursor), elapsed_ms, timings or {})

    async def explain(self, cursor: Cursor) -> dict[str, Any]:
        """What a completion at a cursor would be asked with, as `heron/context` answers."""
        async with self.opened(cursor.document):
            return dict(await self.peer.request("heron/context", _place(cursor)))

    @asynccontextmanager
    async def opened(self, document: Document) -> AsyncIterator[None]:
        """Have a document open; one that is open already stays so."""
        if document.uri in self.documents:
            yield
            return
        item = {"uri": document.uri, "languageId": document.language, "version": 1, "text": document.text}
        self.peer.notify("textDocument/didOpen", {"textDocument": item})
        self.documents.add(document.uri)
        try:
            yield
        finally:
            self.documents.discard(document.uri)
            self.peer.notify("textDocument/didClose", {"textDocument": {"uri": document.uri}})

    async def _next_status(self) -> Health:
        waiting = asyncio.ensure_future(self.status.get())
        ended = asyncio.ensure_future(self.peer.ended.wait())
        await asyncio.wait({waiting, ended}, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if waiting.done():
            return waiting.result()
        waiting.cancel()
        raise self.peer.fault or SystemFault("The language server ended.")


@asynccontextmanager
async def open_client(
    root: Path, verbose: bool = False, settings: Mapping[str, Any] | None = None
) -> AsyncIterator[Client]:
    """Start `heron lsp` on a workspace folder, shake hands, and see it out politely at the end."""
    began = time.perf_counter()
    status: asyncio.Queue[Health] = asyncio.Queue()
    progress: dict[str, Report] = {}

    def listen(method: str, params: Any) -> None:
        if method == "heron/status":
            status.put_nowait(read_health(params))
        elif method == "$/progress" and params["token"] in progress:
            progress[params["token"]](params["value"])

    async with open_peer([sys.executable, "-m", "heron", "lsp"], listen, echo=verbose) as peer:
        await peer.request("initialize", _introduction(root) | {"initializationOptions": settings or {}})
        peer.notify("initialized", {})
        yield Client(peer, status, (time.perf_counter() - began) * 1000, progress)
        if not peer.fault:
            await peer.request("shutdown", None)
            peer.notify("exit", None)


def read_health(params: dict[str, Any]) -> Health:
    fields = ("state", "model", "message", "fraction")
    return Health(**{name: params[name] for name in fields if params.get(name) is not None})


def open_document(path: Path, text: str) -> Document:
    """A document as an editor would open it: the languageId by extension, `plaintext` if we do not know it."""
    from heron.editor.syntax.languages import find_language

    uri = path.absolute().as_uri()
    language = find_language("", uri)
    return Document(uri, 1, language.ids[0] if language else "plaintext", text)


def _introduction(root: Path) -> dict[str, Any]:
    folder = {"uri": root.absolute().as_uri(), "name": root.name}
    return {
        "processId": os.getpid(),
        "clientInfo": {"name": "heron", "version": __version__},
        "rootUri": folder["uri"],
        "workspaceFolders": [folder],
        "capabilities": _CAPABILITIES,
    }


def _question(cursor: Cursor) -> dict[str, Any]:
    return _place(cursor) | {"context": {"triggerKind": _INVOKED}}


def _place(cursor: Cursor) -> dict[str, Any]:
    position = {"line": cursor.position.line, "character": cursor.position.column}
    return {"textDocument": {"uri": cursor.document.uri}, "position": position}


def _inserted_text(answer: Any, cursor: Cursor) -> str | None:
    """The text that appears after the cursor: an item's range may begin before it, at the start of the line."""
    items = answer.get("items", []) if isinstance(answer, dict) else answer or []
    if not items:
        return None
    item = items[0]
    text = item["insertText"] if isinstance(item["insertText"], str) else item["insertText"]["value"]
    column = cursor.position.column
    start = item.get("range", {}).get("start", {}).get("character", column)
    return str(text[column - start :])
