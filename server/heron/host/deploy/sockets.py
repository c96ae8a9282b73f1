"""WebSockets at a gateway, which ends them itself: a replica's actor is asked once a request, not spoken with.

Each request of `/v1/stream` goes on as one by HTTP: to the replica that its client's or its own prefix has been to, and
to another if that dies. A language server for `/lsp` runs beside the gateway, which is its model server.
"""

import asyncio
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from heron.host.api import lsp_socket, multiplex, stats
from heron.host.api.guard import name_token
from heron.host.api.lsp_socket import LanguageServers
from heron.host.api.multiplex import serve_stream

_POLICY_VIOLATION = 1008
_ASKED_INSTEAD = {multiplex.PATH: "/v1/models", lsp_socket.PATH: stats.PATH}
"""What a client must be allowed to ask by HTTP before its socket is taken: a replica knows the tokens and the names."""
_OF_THE_HANDSHAKE = (b"connection", b"upgrade", b"sec-websocket-")


class Sockets:
    """The WebSockets of one gateway."""

    def __init__(self, gateway: ASGIApp) -> None:
        self._gateway = gateway
        self._servers = LanguageServers()

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket to its end; one that a replica would refuse is closed before it is accepted."""
        scope = name_token(scope)
        socket = WebSocket(scope, receive, send)
        asked = _ASKED_INSTEAD.get(scope["path"])
        if asked is None or await _status(self._gateway, _as_http(scope, asked)) != 200:
            await socket.close(_POLICY_VIOLATION)
        elif scope["path"] == multiplex.PATH:
            await serve_stream(socket, self._gateway)
        else:
            await self._servers.serve(socket, _environment(scope))


def _environment(scope: Scope) -> Mapping[str, str]:
    """What tells a language server to ask this gateway, by the name and the token that its client came with."""
    headers = dict(scope["headers"])
    scheme = "https" if scope.get("scheme") == "wss" else "http"
    token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")[2].strip()
    return {"HERON_HOST_URL": f"{scheme}://{headers[b'host'].decode('latin-1')}", "HERON_HOST_TOKEN": token}


def _as_http(scope: Scope, path: str) -> Scope:
    """A request for a path, with what the handshake says of its client."""
    headers = [(name, value) for name, value in scope["headers"] if not name.startswith(_OF_THE_HANDSHAKE)]
    taken = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "headers": headers}
    return {**scope, **taken, "query_string": b""}


async def _status(app: ASGIApp, scope: Scope) -> int:
    """The status of an application's answer to a request without a body."""
    statuses: list[int] = []
    body: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        return body.pop() if body else await asyncio.get_running_loop().create_future()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    return statuses[0] if statuses else 0
