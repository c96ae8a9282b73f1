"""`/v1/stream`: many requests over one WebSocket, each answered in pieces as they come, each cancelled by its id.

A client sends `{"id": "1", "path": "/v1/completions", "body": {...}, "priority": "completion"}` and `{"id": "1",
"cancel": true}`. It gets `{"id", "data"}` for each object of the answer, then `{"id", "done": true}`, or in their place
`{"id", "status", "error"}`. Each request passes the same gate and routes as by HTTP.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter
from starlette.types import ASGIApp, Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from heron.errors import HeronError, InvalidRequest, Overloaded
from heron.host.api.errors import error_body
from heron.wire import AFFINITY_HEADER, CLIENT_HEADER, PRIORITY_HEADER

PATH = "/v1/stream"
PATHS = ("/v1/completions", "/v1/chat/completions", "/v1/embeddings", "/infill", "/tokenize")
MAX_RUNNING = 64
"""Requests of one connection at once."""
_log = logging.getLogger(__name__)
_KEPT_HEADERS = (
    b"host",
    b"authorization",
    b"cache-control",
    *(name.lower().encode() for name in (CLIENT_HEADER, AFFINITY_HEADER)),
)


def multiplex_router() -> APIRouter:
    router = APIRouter()

    @router.websocket(PATH)
    async def stream(socket: WebSocket) -> None:
        await serve_stream(socket, socket.scope["app"])

    return router


async def serve_stream(socket: WebSocket, app: ASGIApp) -> None:
    """Have an application answer a socket's requests until its client leaves, which cancels those that run."""
    await socket.accept(subprotocol="heron" if "heron" in socket.scope["subprotocols"] else None)
    connection = _Connection(socket, app)
    try:
        while True:
            await connection.take(await socket.receive_text())
    except (WebSocketDisconnect, KeyError):  # a KeyError: a binary frame, which has no text
        pass
    finally:
        await connection.close()


@dataclass(frozen=True, slots=True)
class _Ask:
    """One request as the client sent it."""

    id: str
    path: str
    body: dict[str, Any]
    priority: str


@dataclass(slots=True)
class _Connection:
    socket: WebSocket
    app: ASGIApp
    running: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    """Those whose end the client has not been told."""
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def take(self, text: str) -> None:
        """Begin or cancel what a message says; a message that is wrong is answered and does no harm."""
        id: Any = None
        try:
            message = _parse(text)
            id = _tellable(message.get("id"))
            if message.get("cancel") is True:
                self._cancel(_read_id(message))
            else:
                self._begin(_read_ask(message))
        except HeronError as error:
            status = 429 if isinstance(error, Overloaded) else 400
            await self.send({"id": id, "status": status, **error_body(error)})

    async def send(self, item: Mapping[str, Any]) -> None:
        """Send one message; waits while the client reads slowly."""
        await self.socket.send_text(json.dumps(item, ensure_ascii=False, separators=(",", ":")))

    async def close(self) -> None:
        """Cancel all that runs and wait for its end."""
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def send_last(self, id: str, fields: Mapping[str, Any]) -> None:
        """Send the last message of a request, whose id is free from then on."""
        self.running.pop(id, None)
        await self.send({"id": id, **fields})

    def _begin(self, ask: _Ask) -> None:
        if ask.id in self.running:
            raise InvalidRequest(f"id: {ask.id!a} is the id of a request that runs.", param="id")
        if len(self.running) >= MAX_RUNNING:
            raise Overloaded(f"This connection already has {MAX_RUNNING} requests running.")
        task = asyncio.create_task(self._answer(ask), name=f"stream-{ask.id}")
        self.running[ask.id] = task
        self.tasks.add(task)
        task.add_done_callback(lambda _: self._forget(ask.id, task))

    def _forget(self, id: str, task: "asyncio.Task[None]") -> None:
        self.tasks.discard(task)
        if self.running.get(id) is task:
            del self.running[id]

    def _cancel(self, id: str) -> None:
        if task := self.running.get(id):
            task.cancel()

    async def _answer(self, ask: _Ask) -> None:
        exchange = _Exchange(self, ask)
        try:
            await self.app(_scope(self.socket, ask), exchange.receive, exchange.send)
        except asyncio.CancelledError:
            if self.running.get(ask.id) is asyncio.current_task():
                await self.send_last(ask.id, {"cancelled": True})
            raise
        except Exception:  # the client has been told: Starlette answers 500 and raises again for the server's log
            _log.exception("request %s failed", ask.id)


@dataclass(slots=True)
class _Exchange:
    """One request as the application sees it: ASGI's messages, turned into the socket's."""

    connection: _Connection
    ask: _Ask
    status: int = 200
    is_stream: bool = False
    content: bytes = b""
    has_been_read: bool = False

    async def receive(self) -> Message:
        if self.has_been_read:  # what would come next is that the client leaves: then the task is cancelled
            await asyncio.get_running_loop().create_future()
        self.has_been_read = True
        return {"type": "http.request", "body": json.dumps(self.ask.body).encode(), "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = dict(message["headers"])
            self.is_stream = headers.get(b"content-type", b"").startswith(b"text/event-stream")
            return
        self.content += message.get("body", b"")
        if self.is_stream:
            await self._send_events()
        if not message.get("more_body", False):
            await self._finish()

    async def _send_events(self) -> None:
        *events, self.content = self.content.split(b"\n\n")
        for event in events:
            data = event.removeprefix(b"data: ")
            if data != b"[DONE]":
                await self._send_object(json.loads(data))

    async def _send_object(self, item: dict[str, Any]) -> None:
        if self.status >= 400:
            await self.connection.send_last(self.ask.id, {"status": self.status, **item})
            return
        fields = {"status": 400, **item} if "error" in item else {"data": item}
        await self.connection.send({"id": self.ask.id, **fields})

    async def _finish(self) -> None:
        if not self.is_stream:
            await self._send_object(json.loads(self.content))
        if self.status < 400:
            await self.connection.send_last(self.ask.id, {"done": True})


def _parse(text: str) -> dict[str, Any]:
    try:
        message = json.loads(text)
    except ValueError as error:
        raise InvalidRequest(f"The message is not JSON: {error}.") from None
    if not isinstance(message, dict):
        raise InvalidRequest("A message must be a JSON object with an id, a path and a body.")
    return message


def _read_id(message: dict[str, Any]) -> str:
    id = message.get("id")
    if not isinstance(id, str) or not 0 < len(id) <= 200 or not _is_unicode(id):
        raise InvalidRequest("id: it must be a string of 1 to 200 characters.", param="id")
    return id


def _tellable(id: Any) -> Any:
    """An id as it can be told back in an error; null for one that is too odd."""
    return id if type(id) is int or (isinstance(id, str) and _is_unicode(id)) else None


def _is_unicode(text: str) -> bool:
    """Whether a text can be sent: JSON can spell halves of surrogate pairs, UTF-8 cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _read_ask(message: dict[str, Any]) -> _Ask:
    id, path, body = _read_id(message), message.get("path"), message.get("body")
    if path not in PATHS:
        raise InvalidRequest(f"path: {path!a} is not one of {', '.join(PATHS)}.", param="path")
    if not isinstance(body, dict):
        raise InvalidRequest("body: it must be the object that the path takes by HTTP.", param="body")
    priority = message.get("priority", "")
    if not isinstance(priority, str) or not _is_unicode(priority):
        raise InvalidRequest("priority: it must be a string.", param="priority")
    return _Ask(id, path, body, priority)


def _scope(socket: WebSocket, ask: _Ask) -> dict[str, Any]:
    """The request as if it had come by HTTP, with the names and the token of the handshake."""
    kept = [(name, value) for name, value in socket.scope["headers"] if name in _KEPT_HEADERS]
    priority = [(PRIORITY_HEADER.lower().encode(), ask.priority.encode())] if ask.priority else []
    return {
        "type": "http",
        "asgi": socket.scope["asgi"],
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": ask.path,
        "raw_path": ask.path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [*kept, (b"content-type", b"application/json"), *priority],
        "client": socket.scope.get("client"),
        "server": socket.scope.get("server"),
        "state": {},
    }
