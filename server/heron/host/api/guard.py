"""The gate before every route: names, token, scope, quota, size and time of the body. Also notes idleness."""

import asyncio

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heron.errors import Overloaded, Unauthorized
from heron.host.api import dashboard, docs, health, metrics, overview, stats, trace
from heron.host.api.auth import Auth, Grant
from heron.host.api.errors import error_response, http_error
from heron.host.api.quotas import join_client
from heron.host.api.service import Service
from heron.wire import CLIENT_HEADER

MAX_BODY_BYTES = 8 * 1024 * 1024
BODY_TIME_S = 30.0
"""How long each piece of a body may take to arrive."""
_POLICY_VIOLATION = 1008
_PUBLIC_PATHS = (*dashboard.PUBLIC_PATHS, *docs.PUBLIC_PATHS)
_QUIET_PATHS = (health.PATH, stats.PATH, metrics.PATH, overview.PATH, trace.PATH, *_PUBLIC_PATHS)
_TOKEN_PROTOCOL = "bearer."
_TOO_LARGE = f"The body is larger than {MAX_BODY_BYTES // 1024**2} MiB."
_TOO_SLOW = f"Nothing of the body came for {BODY_TIME_S:g} s."


class Guard:
    """ASGI middleware. Requests it refuses, and who only looks, do not count as activity."""

    def __init__(self, app: ASGIApp, auth: Auth, service: Service) -> None:
        self._app = app
        self._auth = auth
        self._activity, self._quotas = service.activity, service.quotas

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            scope = name_token(scope)
        try:
            grant = self._admit(scope["path"], Headers(scope=scope))
        except (Unauthorized, Overloaded) as error:
            await self._refuse(error_response(error), scope, receive, send)
        except HTTPException as refusal:
            answer = http_error(refusal.status_code, refusal.detail, refusal.headers)
            await self._refuse(answer, scope, receive, send)
        else:
            await self._pass(grant, scope, receive, send)

    async def _refuse(self, answer: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        else:
            await answer(scope, receive, send)

    async def _pass(self, grant: Grant, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["grant"] = grant
        if scope["path"] in _QUIET_PATHS:
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":  # its requests are counted one by one
            await self._app(scope, receive, send)
            return
        try:
            with self._activity.request(), self._quotas.admit(_client(grant, scope)):
                await self._app(scope, _limited(receive), send)
        except Overloaded as error:
            await error_response(error)(scope, receive, send)

    def _admit(self, path: str, headers: Headers) -> Grant:
        if not self._auth.allows_host(headers):
            raise HTTPException(403, "This host answers on loopback names and those of host.allowed_hosts only.")
        if not self._auth.allows_origin(headers):
            raise HTTPException(403, "This web page may not ask; host.allowed_origins names those that may.")
        grant = Grant(frozenset()) if path in _PUBLIC_PATHS else self._auth.identify(headers)
        if path not in _PUBLIC_PATHS and not grant.allows(path):
            raise HTTPException(403, f"This token may not ask {path}; its scopes: {', '.join(sorted(grant.scopes))}.")
        announced = headers.get("content-length", "0")
        if announced.isdecimal() and int(announced) > MAX_BODY_BYTES:
            raise HTTPException(413, _TOO_LARGE, {"Connection": "close"})
        return grant


def _client(grant: Grant, scope: Scope) -> str:
    """Whose request it is, as far as its head tells."""
    peer = (scope.get("client") or ("",))[0]
    return join_client(grant.client, Headers(scope=scope).get(CLIENT_HEADER, peer))


def name_token(scope: Scope) -> Scope:
    """The scope of a WebSocket, with the token that a browser, which sets no headers, names as a subprotocol."""
    for protocol in scope.get("subprotocols", ()):
        if protocol.startswith(_TOKEN_PROTOCOL):
            secret = protocol.removeprefix(_TOKEN_PROTOCOL)
            headers = [*scope["headers"], (b"authorization", f"Bearer {secret}".encode())]
            return {**scope, "headers": headers}
    return scope


def _limited(receive: Receive) -> Receive:
    """Receive until the body is too large or too slow; a body sent in pieces does not announce its length."""
    received_bytes, is_whole = 0, False

    async def receive_limited() -> Message:
        nonlocal received_bytes, is_whole
        if is_whole:  # what comes now is the disconnect, whenever it likes
            return await receive()
        try:
            async with asyncio.timeout(BODY_TIME_S):  # wait_for can swallow a cancellation (CPython 3.11)
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, _TOO_SLOW, {"Connection": "close"}) from None
        received_bytes += len(message.get("body", b""))
        is_whole = not message.get("more_body", False)
        if received_bytes > MAX_BODY_BYTES:
            raise HTTPException(413, _TOO_LARGE, {"Connection": "close"})
        return message

    return receive_limited
