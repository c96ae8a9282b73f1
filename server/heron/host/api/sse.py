"""Server-sent events: a stream of JSON objects that ends with `[DONE]`, or with an error."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from heron.host.api.disconnect import ClientGone, while_connected
from heron.host.api.errors import error_body, hide_cause

DONE = b"data: [DONE]\n\n"


class EventStream(Response):
    """Sends each object as an event. When the client leaves, the generator is closed at once, also while it waits.

    An error before the first object is raised, so that the answer gets its status; a later one becomes an event.
    """

    media_type = "text/event-stream"

    def __init__(self, objects: AsyncGenerator[dict[str, Any], None]) -> None:
        super().__init__(headers={"Cache-Control": "no-store"})
        del self.headers["content-length"]
        self._objects = objects

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(ClientGone):
            await while_connected(receive, self._send_all(send))

    async def _send_all(self, send: Send) -> None:
        async with aclosing(self._objects) as objects:
            first = await anext(objects)
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await _send_event(send, encode_event(first))
            try:
                async for item in objects:
                    await _send_event(send, encode_event(item))
                await _send_event(send, DONE)
            except Exception as error:
                await _send_event(send, encode_event(error_body(hide_cause(error))))
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def encode_event(item: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


async def _send_event(send: Send, event: bytes) -> None:
    await send({"type": "http.response.body", "body": event, "more_body": True})
