"""Tells clients with each answer what they should tell their user: that the model runs with less than was asked for."""

from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from heron.host.api.engines import EnginePool
from heron.wire import NOTICE_HEADER


class Notice:
    """ASGI middleware: the pool's notice, percent-encoded, as a header of every answer while there is one."""

    def __init__(self, app: ASGIApp, pool: EnginePool) -> None:
        self._app, self._pool = app, pool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_noticed(message: Message) -> None:
            if message["type"] == "http.response.start" and (notice := self._pool.health().notice):
                MutableHeaders(scope=message)[NOTICE_HEADER] = quote(notice)
            await send(message)

        await self._app(scope, receive, send_noticed if scope["type"] == "http" else send)
