"""The gate before every route: host name, token, size of the body. Also counts requests, so that idleness shows."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heron.errors import Unauthorized
from heron.host.api import health, stats
from heron.host.api.activity import Activity
from heron.host.api.auth import Auth
from heron.host.api.errors import error_response, http_error

MAX_BODY_BYTES = 8 * 1024 * 1024
_QUIET_PATHS = (health.PATH, stats.PATH)
_TOO_LARGE = f"The body is larger than {MAX_BODY_BYTES // 1024**2} MiB."


class Guard:
    """ASGI middleware. Requests it refuses, and who only looks, do not count as activity."""

    def __init__(self, app: ASGIApp, auth: Auth, activity: Activity) -> None:
        self._app = app
        self._auth = auth
        self._activity = activity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if refusal := self._refuse(Headers(scope=scope)):
            await refusal(scope, receive, send)
        elif scope["path"] in _QUIET_PATHS:
            await self._app(scope, receive, send)
        else:
            with self._activity.request():
                await self._app(scope, _limited(receive), send)

    def _refuse(self, headers: Headers) -> ASGIApp | None:
        if not self._auth.allows_host(headers):
            return http_error(403, "This host answers on loopback names only.")
        try:
            self._auth.check_token(headers)
        except Unauthorized as error:
            return error_response(error)
        announced = headers.get("content-length", "0")
        if announced.isdecimal() and int(announced) > MAX_BODY_BYTES:
            return http_error(413, _TOO_LARGE, {"Connection": "close"})
        return None


def _limited(receive: Receive) -> Receive:
    """Receive until the body is too large; a body sent in pieces does not announce its length."""
    received_bytes = 0

    async def receive_limited() -> Message:
        nonlocal received_bytes
        message = await receive()
        received_bytes += len(message.get("body", b""))
        if received_bytes > MAX_BODY_BYTES:
            raise HTTPException(413, _TOO_LARGE, {"Connection": "close"})
        return message

    return receive_limited
