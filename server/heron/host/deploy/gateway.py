"""What clients of a Ray Serve deployment talk to: reads a request, finds its replica, passes on the answer.

It holds no model and no state, so there may be one on every machine. A replica that dies before it began to answer is
replaced by another at once; one that dies amid a stream ends it with an error, as its other half cannot be told on.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heron.errors import HeronError, Overloaded, WorkerCrashed
from heron.host.api.disconnect import ClientGone, while_connected
from heron.host.api.errors import error_body, error_response, http_error
from heron.host.api.guard import MAX_BODY_BYTES
from heron.host.deploy.affinity import affinity_key
from heron.host.deploy.ask import Ask
from heron.host.deploy.sockets import Sockets

MAX_TRIES = 3
_log = logging.getLogger(__name__)


class Answer(Protocol):
    """The messages of a replica's answer, which can be given up."""

    def __aiter__(self) -> AsyncIterator[dict[str, Any]]: ...

    def cancel(self) -> object: ...


AskReplica = Callable[[Ask], Answer]
"""Sends a request to the replica it belongs to."""
LostReplica = tuple[type[Exception], ...]


def make_gateway(ask_replica: AskReplica, lost: LostReplica, full: LostReplica) -> ASGIApp:
    """The application. `lost` are the errors of a replica that died, `full` those of a queue that takes no more."""

    async def gateway(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "websocket":
            await sockets.serve(scope, receive, send)
        elif (body := await _read_body(receive)) is None:
            await http_error(413, "The body is too large.")(scope, receive, send)
        else:
            passing = _Passing(ask_replica, _make_ask(scope, body), send)
            try:
                await while_connected(receive, passing.run(lost, full))
            except ClientGone:
                _log.debug("a client left")
            except HeronError as error:
                await passing.refuse(error, scope, receive)

    sockets = Sockets(gateway)
    return gateway


class _Passing:
    """One request, asked until a replica has begun to answer; an answer that is no stream begins when it is whole."""

    def __init__(self, ask_replica: AskReplica, ask: Ask, send: Send) -> None:
        self._ask_replica, self._ask, self._send = ask_replica, ask, send
        self._has_begun = self._is_whole = False

    async def run(self, lost: LostReplica, full: LostReplica) -> None:
        """Pass the answer on. Raises WorkerCrashed when replicas died, Overloaded where none has room."""
        for left in range(MAX_TRIES, 0, -1):
            try:
                await self._pass_on()
                return
            except full as error:
                raise Overloaded("All replicas have as many requests as they take.") from error
            except lost as error:
                if self._is_whole:
                    return
                _log.warning("a replica was lost: %s", type(error).__name__)
                if self._has_begun or left == 1:
                    raise WorkerCrashed("The replica that answered was lost.", hint="Try again.") from error

    async def refuse(self, error: HeronError, scope: Scope, receive: Receive) -> None:
        """Tell an error: as an answer, or as the last event of a stream that has begun."""
        if not self._has_begun:
            await error_response(error)(scope, receive, self._send)
            return
        event = b"data: " + json.dumps(error_body(error)).encode() + b"\n\n"
        await self._send({"type": "http.response.body", "body": event, "more_body": False})

    async def _pass_on(self) -> None:
        answer = self._ask_replica(self._ask)
        held: list[Message] = []
        try:
            async for message in answer:
                held.append(message)
                self._is_whole = message["type"] == "http.response.body" and not message.get("more_body", False)
                if self._is_whole or _is_stream(held):
                    await self._release(held)
        except asyncio.CancelledError:
            if not self._is_whole:
                answer.cancel()
            raise

    async def _release(self, held: list[Message]) -> None:
        self._has_begun = True
        while held:
            await self._send(held.pop(0))


def _is_stream(held: list[Message]) -> bool:
    """Whether the messages may be sent though more come: a stream of events that has begun, head and first event."""
    head = held[0]
    if head["type"] != "http.response.start":
        return True  # the head has been sent
    is_events = dict(head.get("headers", ())).get(b"content-type", b"").startswith(b"text/event-stream")
    return is_events and len(held) > 1


async def _live(receive: Receive, send: Send) -> None:
    """The application's start and end, at which there is nothing to do."""
    while True:
        stage = (await receive())["type"]
        await send({"type": f"{stage}.complete"})
        if stage == "lifespan.shutdown":
            return


async def _read_body(receive: Receive) -> bytes | None:
    """A request's whole body, None if it is too large."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _make_ask(scope: Scope, body: bytes) -> Ask:
    headers = tuple((bytes(name), bytes(value)) for name, value in scope["headers"])
    named = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}
    client = tuple(scope["client"]) if scope.get("client") else None
    query = scope.get("query_string", b"")
    return Ask(scope["method"], scope["path"], query, headers, client, body, affinity_key(named, body))
