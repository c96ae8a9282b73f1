"""An ASGI application asked from afar: a request goes in whole, the messages of its answer come out one by one."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from starlette.types import ASGIApp, Message

from heron.host.deploy.ask import Ask


async def exchange(app: ASGIApp, ask: Ask) -> AsyncGenerator[dict[str, Any], None]:
    """The messages of an answer. Closing the generator cancels the request; what the application raises is raised."""
    messages: asyncio.Queue[Message | None] = asyncio.Queue()
    running = asyncio.create_task(_run(app, ask, messages))
    try:
        while (message := await messages.get()) is not None:
            yield dict(message)
        await running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _run(app: ASGIApp, ask: Ask, messages: "asyncio.Queue[Message | None]") -> None:
    body: list[Message] = [{"type": "http.request", "body": ask.body, "more_body": False}]

    async def receive() -> Message:
        if body:
            return body.pop()
        never: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        return await never  # a client that leaves cancels us instead

    try:
        await app(ask.scope(), receive, messages.put)
    finally:
        messages.put_nowait(None)
