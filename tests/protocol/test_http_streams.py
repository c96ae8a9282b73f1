"""Streams over a real server on a Unix socket: concurrency, errors in midstream, and clients that leave."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import httpx
import pytest

from heron.errors import InvalidRequest
from heron.host.engine.scripted import Reply, Script, ScriptedEngine, prompt_text
from heron.wire import Delta, GenerateRequest, ModelInfo
from protocol.http_host import CHAT, events_of, on_socket

BODIES = {
    "/v1/completions": {"prompt": "hello"},
    "/v1/chat/completions": {"messages": CHAT},
}
ROUTES = pytest.mark.parametrize("path", BODIES)


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine(Script(otherwise=Reply("one two three", hold_after=2)))


@pytest.fixture
async def client(engine: ScriptedEngine, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with on_socket(engine, tmp_path) as client:
        yield client


@ROUTES
async def test_deltas_arrive_while_the_engine_works(
    client: httpx.AsyncClient, engine: ScriptedEngine, path: str
) -> None:
    async with client.stream("POST", path, json=BODIES[path] | {"stream": True}) as response:
        lines = response.aiter_lines()
        seen = ""
        while "two" not in seen:
            seen += _text(await anext(lines))
        engine.release()
        rest = [line async for line in lines if line]
    assert rest[-1] == "data: [DONE]"
    assert seen + "".join(map(_text, rest[:-1])) == "one two three"
    assert engine.aborted == []


@ROUTES
@pytest.mark.parametrize("stream", [False, True])
async def test_leaving_aborts_the_sequence_while_no_delta_flows(
    client: httpx.AsyncClient, engine: ScriptedEngine, path: str, stream: bool
) -> None:
    engine.hold()
    asking = asyncio.create_task(client.post(path, json=BODIES[path] | {"stream": stream}))
    await seen(engine, lambda engine: len(engine.requests) == 1)
    asking.cancel()
    await seen(engine, lambda engine: engine.aborted == [engine.requests[0].request_id])


@ROUTES
async def test_leaving_aborts_the_sequence_in_midstream(
    client: httpx.AsyncClient, engine: ScriptedEngine, path: str
) -> None:
    async with client.stream("POST", path, json=BODIES[path] | {"stream": True}) as response:
        await anext(response.aiter_lines())
    await seen(engine, lambda engine: len(engine.aborted) == 1)


async def test_leaving_aborts_the_sequence_of_a_reader_that_does_not_read(tmp_path: Path) -> None:
    engine = ScriptedEngine(Script(otherwise=Reply("x" * 200_000)))
    async with on_socket(engine, tmp_path):
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "host.sock"), limit=1024)
        body = json.dumps({"prompt": "x", "stream": True, "max_tokens": 10**6}).encode()
        head = (
            f"POST /v1/completions HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        )
        writer.write(head.encode() + b"\r\n\r\n" + body)
        await reader.readline()
        writer.transport.abort()
        await seen(engine, lambda engine: len(engine.aborted) == 1)


async def test_many_requests_at_once_get_their_own_answers(tmp_path: Path) -> None:
    engine = ScriptedEngine(lambda request: f"the answer to {prompt_text(request.prompt)}")
    engine.hold()
    bodies = [{"prompt": str(number), "stream": number % 2 == 0} for number in range(20)]
    async with on_socket(engine, tmp_path) as client:
        asking = [asyncio.create_task(client.post("/v1/completions", json=body)) for body in bodies]
        await seen(engine, lambda engine: len(engine.requests) == 20)
        engine.release()
        texts = [_whole(response) for response in await asyncio.gather(*asking)]
    assert texts == [f"the answer to {number}" for number in range(20)]
    assert len({request.request_id for request in engine.requests}) == 20


@ROUTES
async def test_error_in_midstream_is_the_last_event(tmp_path: Path, path: str) -> None:
    async with on_socket(_Breaking(InvalidRequest("Midway.", param="x")), tmp_path) as client:
        response = await client.post(path, json=BODIES[path] | {"stream": True})
    last = events_of(response.text)[-1]
    assert response.status_code == 200
    assert last["error"] == {
        "message": "Midway.",
        "type": "invalid_request_error",
        "code": "invalid_request",
        "param": "x",
    }


@ROUTES
async def test_unexpected_error_in_midstream_hides_its_cause(tmp_path: Path, path: str) -> None:
    async with on_socket(_Breaking(ZeroDivisionError("secret")), tmp_path) as client:
        response = await client.post(path, json=BODIES[path] | {"stream": True})
    last = events_of(response.text)[-1]
    assert last["error"]["code"] == "internal_error"
    assert "secret" not in response.text


@ROUTES
async def test_stream_that_breaks_off_is_an_error(tmp_path: Path, path: str) -> None:
    async with on_socket(_Breaking(None), tmp_path) as client:
        streamed = await client.post(path, json=BODIES[path] | {"stream": True})
        whole = await client.post(path, json=BODIES[path])
    assert events_of(streamed.text)[-1]["error"]["code"] == "worker_crashed"
    assert (whole.status_code, whole.json()["error"]["code"]) == (503, "worker_crashed")


class _Breaking:
    """An engine that fails after its first delta, or, without an error, ends there as if all were well."""

    def __init__(self, error: Exception | None) -> None:
        self._inner = ScriptedEngine("one two three")
        self._error = error

    @property
    def model(self) -> ModelInfo:
        return self._inner.model

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Delta, None]:
        async with aclosing(self._inner.generate(request)) as deltas:
            yield await anext(deltas)
            if self._error:
                raise self._error

    async def tokenize(self, text: str) -> list[int]:
        return await self._inner.tokenize(text)

    async def metrics(self) -> dict[str, float]:
        return await self._inner.metrics()

    async def close(self) -> None:
        await self._inner.close()


async def seen(engine: ScriptedEngine, condition: Callable[[ScriptedEngine], bool]) -> None:
    """Wait until the engine has seen something, but not for ever."""
    async with asyncio.timeout(20):
        await engine.wait_for(condition)


def _text(line: str) -> str:
    """The text in one line of a stream of either kind."""
    if not line:
        return ""
    [choice] = json.loads(line.removeprefix("data: "))["choices"]
    return str(choice.get("text") or choice.get("delta", {}).get("content") or "")


def _whole(response: httpx.Response) -> str:
    if response.headers["content-type"].startswith("application/json"):
        return str(response.json()["choices"][0]["text"])
    return "".join(event["choices"][0]["text"] for event in events_of(response.text)[:-1])
