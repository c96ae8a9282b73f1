import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from starlette.types import Message

from heron.errors import InvalidRequest
from heron.host.api.sse import EventStream, encode_event


class Client:
    """A client's side of ASGI that stops reading, and leaves, after some messages."""

    def __init__(self, patience: float = float("inf")) -> None:
        self.messages: list[Message] = []
        self._patience = patience
        self._left = asyncio.Event()

    async def receive(self) -> Message:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.messages.append(message)
        if len(self.messages) >= self._patience:
            self._left.set()
            await asyncio.Event().wait()

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)


class Source:
    """Objects that know whether their generator was closed."""

    def __init__(self, *items: dict[str, Any], error: Exception | None = None) -> None:
        self._items, self._error = items, error
        self.closed = False

    async def generate(self) -> AsyncGenerator[dict[str, Any], None]:
        try:
            for item in self._items:
                yield item
            if self._error:
                raise self._error
        finally:
            await asyncio.sleep(0)
            self.closed = True


async def answer(source: Source, client: Client) -> None:
    async with asyncio.timeout(20):
        await EventStream(source.generate())({"type": "http"}, client.receive, client.send)


async def test_objects_become_events_and_done_ends_them() -> None:
    source, client = Source({"a": 1}, {"b": "é\n"}), Client()
    await answer(source, client)
    assert client.body == 'data: {"a":1}\n\ndata: {"b":"é\\n"}\n\ndata: [DONE]\n\n'.encode()
    assert dict(client.messages[0]["headers"])[b"content-type"].startswith(b"text/event-stream")
    assert not client.messages[-1]["more_body"]
    assert source.closed


@pytest.mark.parametrize("patience", [1, 2, 3])
async def test_leaving_closes_the_generator_before_the_response_ends(patience: int) -> None:
    source, client = Source({"a": 1}, {"b": 2}, {"c": 3}), Client(patience)
    await answer(source, client)
    assert source.closed
    assert len(client.messages) == patience


async def test_an_error_before_the_first_object_is_raised() -> None:
    source, client = Source(error=InvalidRequest("No.")), Client()
    with pytest.raises(InvalidRequest):
        await answer(source, client)
    assert client.messages == []
    assert source.closed


async def test_a_later_error_is_the_last_event() -> None:
    client = Client()
    await answer(Source({"a": 1}, error=InvalidRequest("No.")), client)
    first, second, rest = client.body.split(b"\n\n")
    assert b'"message":"No."' in second
    assert (first, rest) == (b'data: {"a":1}', b"")


def test_an_event_is_one_line() -> None:
    assert encode_event({"text": "a\r\nb\u2028c"}).count(b"\n") == 2
