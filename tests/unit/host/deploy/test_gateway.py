"""The gateway over replicas that answer, die, are full, or are left: without Ray."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from heron.host.deploy.ask import Ask
from heron.host.deploy.exchange import exchange
from heron.host.deploy.gateway import MAX_TRIES, make_gateway


class Died(Exception): ...


class Full(Exception): ...


HEAD = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}
EVENTS = {**HEAD, "headers": [(b"content-type", b"text/event-stream")]}
WHOLE = {"type": "http.response.body", "body": b'"ok"', "more_body": False}


def part(text: str, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": text.encode(), "more_body": more}


class Replicas:
    """Each request is answered by the next script: messages, or an error to raise."""

    def __init__(self, *scripts: list[Any]) -> None:
        self.scripts, self.asked, self.cancelled = list(scripts), [], asyncio.Event()

    def ask(self, ask: Ask) -> "Scripted":
        self.asked.append(ask)
        return Scripted(self.scripts.pop(0), self.cancelled)


class Scripted:
    def __init__(self, script: list[Any], cancelled: asyncio.Event) -> None:
        self._script, self._cancelled = script, cancelled

    async def __aiter__(self) -> AsyncIterator[Any]:
        for item in self._script:
            if isinstance(item, Exception):
                raise item
            if item is None:
                await asyncio.Event().wait()
            yield item

    def cancel(self) -> None:
        self._cancelled.set()


async def ask(replicas: Replicas, **request: Any) -> httpx.Response:
    app = make_gateway(replicas.ask, (Died,), (Full,))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://host") as client:
        return await client.post("/v1/completions", **request)


async def test_an_answer_passes_and_the_request_arrives_whole() -> None:
    replicas = Replicas([HEAD, WHOLE])
    answer = await ask(replicas, json={"prompt": "x"}, params={"a": "b"}, headers={"X-Heron-Client": "vim"})
    assert (answer.status_code, answer.json()) == (200, "ok")
    (asked,) = replicas.asked
    assert (asked.method, asked.path, asked.query, json.loads(asked.body)) == (
        "POST", "/v1/completions", b"a=b", {"prompt": "x"},
    )  # fmt: skip
    assert asked.key
    assert dict(asked.headers)[b"x-heron-client"] == b"vim"


@pytest.mark.parametrize("script", [[Died()], [HEAD, Died()], [HEAD, part('"o'), Died()], [EVENTS, Died()]])
async def test_a_replica_that_dies_before_anything_was_told_is_replaced(script: list[Any]) -> None:
    replicas = Replicas(script, [HEAD, WHOLE])
    assert (await ask(replicas)).json() == "ok"
    assert len(replicas.asked) == 2


async def test_one_that_dies_after_its_answer_has_answered() -> None:
    assert (await ask(Replicas([HEAD, WHOLE, Died()]))).json() == "ok"


async def test_one_that_dies_amid_a_stream_ends_it_with_an_error() -> None:
    answer = await ask(Replicas([EVENTS, part("data: 1\n\n"), Died()]))
    first, last, _ = answer.text.split("\n\n")
    assert first == "data: 1"
    assert "was lost" in json.loads(last.removeprefix("data: "))["error"]["message"]


async def test_after_some_that_die_the_client_is_told() -> None:
    replicas = Replicas(*[[Died()]] * MAX_TRIES)
    answer = await ask(replicas)
    assert (answer.status_code, len(replicas.asked)) == (503, MAX_TRIES)
    assert answer.headers["retry-after"]


async def test_full_replicas_are_told_at_once() -> None:
    assert (await ask(Replicas([Full()]))).status_code == 429


async def test_a_body_that_is_too_large_goes_nowhere() -> None:
    replicas = Replicas()
    assert (await ask(replicas, content=b"x" * (9 << 20))).status_code == 413
    assert not replicas.asked


async def test_a_client_that_leaves_ends_its_request() -> None:
    replicas = Replicas([EVENTS, part("data: 1\n\n"), None])
    app = make_gateway(replicas.ask, (Died,), (Full,))
    sent: asyncio.Queue[Message] = asyncio.Queue()
    coming = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if coming:
            return coming.pop()
        while (await sent.get())["type"] != "http.response.body":
            pass
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "client": None}
    await asyncio.wait_for(app(scope, receive, sent.put), 20)
    assert replicas.cancelled.is_set()


async def test_it_starts_and_ends() -> None:
    sent: list[str] = []

    async def send(message: Message) -> None:
        sent.append(message["type"])

    def receiving(*kinds: str) -> Callable[[], Any]:
        coming = list(kinds)

        async def receive() -> Message:
            return {"type": coming.pop(0)}

        return receive

    app = make_gateway(Replicas().ask, (Died,), (Full,))
    await app({"type": "lifespan"}, receiving("lifespan.startup", "lifespan.shutdown"), send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


ASK = Ask("POST", "/p", b"q=1", ((b"host", b"h"),), ("1.2.3.4", 5), b"body")


async def test_an_exchange_gives_the_messages_as_they_are_sent() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = (await receive())["body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body + scope["query_string"]})

    assert [message.get("body") for message in [item async for item in exchange(app, ASK)]] == [None, b"bodyq=1"]


async def test_closing_an_exchange_cancels_it_and_errors_come_through() -> None:
    ended = asyncio.Event()

    async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await receive()
            await receive()
        finally:
            ended.set()

    messages = exchange(waiting, ASK)
    await anext(messages)
    await messages.aclose()
    assert ended.is_set()

    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await anext(exchange(failing, ASK))
