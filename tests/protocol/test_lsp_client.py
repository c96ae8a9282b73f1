"""The editor wing's HTTP client: against our own host, servers that are not Heron's, and servers that fail."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from heron.discovery import HostAddress
from heron.editor.client.client import Client, Infill
from heron.errors import HeronError, HostUnreachable, InvalidRequest, ModelNotReady, Unauthorized
from heron.host.engine.scripted import ScriptedEngine
from heron.wire import Delta, FimPrompt, Health, ModelInfo, TextPrompt
from protocol.foreign_server import Exchange, event, foreign_server
from protocol.http_host import on_socket

INFILL = Infill("def f():", "\n", 16, ("\n\n",))
MODELS = {"data": [{"id": "m", "max_model_len": 100}]}


def own_host(folder: Path) -> HostAddress:
    return HostAddress("http://host", str(folder / "host.sock"))


@asynccontextmanager
async def client_of(address: HostAddress) -> AsyncIterator[Client]:
    async def connect() -> HostAddress:
        return address

    client = Client(connect)
    yield client
    await client.close()


async def collect(client: Client, infill: Infill = INFILL) -> list[Delta]:
    async with aclosing(client.complete(infill)) as deltas:
        return [delta async for delta in deltas]


def text_of(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas)


async def test_our_own_host(tmp_path: Path) -> None:
    engine = ScriptedEngine("return é😀\u2028\n\nmore")
    async with on_socket(engine, tmp_path), client_of(own_host(tmp_path)) as client:
        capable = ModelInfo("scripted", 4096, supports_fim=True, supports_chat=True, supports_tools=True)
        assert await client.model() == capable
        assert (await client.health()).state == "ready"
        deltas = await collect(client)
        assert text_of(deltas) == "return é😀\u2028"
        assert [delta.finish_reason for delta in deltas if delta.finish_reason] == ["stop"]
        assert deltas[-1].usage is not None
        (request,) = engine.requests
        assert request.prompt == FimPrompt("def f():", "\n")
        assert (request.sampling.max_tokens, request.sampling.temperature) == (16, 0.0)


async def test_without_a_suffix_the_prompt_is_continued(tmp_path: Path) -> None:
    engine = ScriptedEngine("x")
    async with on_socket(engine, tmp_path), client_of(own_host(tmp_path)) as client:
        await collect(client, Infill("a", None, 4))
        assert engine.requests[0].prompt == TextPrompt("a")


async def test_closing_the_stream_aborts_the_sequence(tmp_path: Path) -> None:
    engine = ScriptedEngine("a long answer that is not read to its end")
    async with on_socket(engine, tmp_path), client_of(own_host(tmp_path)) as client:
        engine.hold()
        task = asyncio.create_task(collect(client))
        await engine.wait_for(lambda engine: len(engine.requests) == 1)
        task.cancel()
        await engine.wait_for(lambda engine: len(engine.aborted) == 1)


async def test_a_foreign_server(tmp_path: Path) -> None:
    async def complete(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.write(b": ping\r\n\r\n" + event({"choices": [{"text": "a"}]})[:9])
        await exchange.write(event({"choices": [{"text": "a"}]})[9:])
        await exchange.write(event({"choices": [{"text": "b", "finish_reason": "tool"}]}) + b"data: [DONE]\n\n")

    async with foreign_server(tmp_path, {"/v1/models": MODELS, "/v1/completions": complete}) as server:
        async with client_of(server.address) as client:
            assert await client.model() == ModelInfo("m", 100)
            assert await client.health() == Health("ready", "m")
            assert await collect(client) == [Delta("a"), Delta("b", finish_reason="stop")]
        body = server.exchanges[-1].json
        assert (body["model"], body["suffix"], body["stop"], body["stream"]) == ("m", "\n", ["\n\n"], True)
        assert "authorization: bearer secret" in server.exchanges[-1].head.lower()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"error": {"message": "no key", "code": "x"}}, Unauthorized),
        (400, {"error": {"message": "bad stop", "code": None}}, InvalidRequest),
        (503, {"error": {"message": "wait", "code": "model_not_ready"}}, ModelNotReady),
        (500, b"<html>", HeronError),
    ],
)
async def test_errors_are_ours(tmp_path: Path, status: int, body: object, kind: type[HeronError]) -> None:
    async def complete(exchange: Exchange) -> None:
        await exchange.answer(body, status)

    async with (
        foreign_server(tmp_path, {"/v1/models": MODELS, "/v1/completions": complete}) as server,
        client_of(server.address) as client,
    ):
        with pytest.raises(kind):
            await collect(client)


@pytest.mark.parametrize("data", [b"data: {\n\n", b"data: []\n\n", event({"error": {"message": "x"}})])
async def test_a_bad_event_ends_the_stream(tmp_path: Path, data: bytes) -> None:
    async def complete(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.write(data)

    async with (
        foreign_server(tmp_path, {"/v1/models": MODELS, "/v1/completions": complete}) as server,
        client_of(server.address) as client,
    ):
        with pytest.raises(HeronError):
            await collect(client)


async def test_the_preferred_of_several_models(tmp_path: Path) -> None:
    async def connect() -> HostAddress:
        return server.address

    async with foreign_server(tmp_path, {"/v1/models": {"data": [{"id": "a"}, {"id": "b"}]}}) as server:
        for preferred, used in (("b", "b"), ("auto", "a")):
            client = Client(connect, lambda preferred=preferred: preferred)  # type: ignore[misc]
            assert (await client.model()).id == used
            await client.close()


async def test_a_server_that_offers_no_model_is_not_ready(tmp_path: Path) -> None:
    async with foreign_server(tmp_path, {"/v1/models": {"data": []}}) as server, client_of(server.address) as client:
        with pytest.raises(ModelNotReady):
            await collect(client)


async def test_a_lost_server_is_found_once_more(tmp_path: Path) -> None:
    """The first address is dead, the second is alive: the request succeeds on it."""
    addresses = [HostAddress("http://host", str(tmp_path / "nobody.sock"))]

    async def connect() -> HostAddress:
        return addresses.pop(0)

    async def complete(exchange: Exchange) -> None:
        await exchange.answer(event({"choices": [{"text": "ok"}]}))

    async with foreign_server(tmp_path, {"/v1/models": MODELS, "/v1/completions": complete}) as server:
        addresses.append(server.address)
        client = Client(connect)
        assert text_of(await collect(client)) == "ok"
        await client.close()


async def test_a_server_lost_for_good_is_unreachable(tmp_path: Path) -> None:
    async with client_of(HostAddress("http://host", str(tmp_path / "nobody.sock"))) as client:
        with pytest.raises(HostUnreachable):
            await collect(client)
        with pytest.raises(HostUnreachable):
            await client.health()


async def test_a_stream_lost_midway_is_not_begun_again(tmp_path: Path) -> None:
    async def complete(exchange: Exchange) -> None:
        head = b"HTTP/1.1 200 X\r\nContent-Length: 1000\r\n\r\n"
        await exchange.write(head + event({"choices": [{"text": "a"}]}))

    async with foreign_server(tmp_path, {"/v1/models": MODELS, "/v1/completions": complete}) as server:
        async with client_of(server.address) as client:
            with pytest.raises(HostUnreachable):
                await collect(client)
        assert [exchange.head.split()[1] for exchange in server.exchanges].count("/v1/completions") == 1


@pytest.mark.parametrize("url", ["nonsense", "http://", "ftp://host", "http://[::1"])
async def test_a_wrong_url_is_unreachable(url: str) -> None:
    async with client_of(HostAddress(url)) as client:
        with pytest.raises(HostUnreachable):
            await client.health()


async def test_a_failed_connection_is_tried_again_by_the_next_call(tmp_path: Path) -> None:
    failures = [HostUnreachable("starting failed")]

    async def connect() -> HostAddress:
        if failures:
            raise failures.pop()
        return server.address

    async with foreign_server(tmp_path, {"/healthz": {"state": "loading"}}) as server:
        client = Client(connect)
        with pytest.raises(HostUnreachable):
            await client.health()
        assert await client.health() == Health("loading")
        await client.close()


async def test_one_caller_that_gives_up_does_not_stop_the_others(tmp_path: Path) -> None:
    may_connect = asyncio.Event()
    connections = 0

    async def connect() -> HostAddress:
        nonlocal connections
        connections += 1
        await may_connect.wait()
        return server.address

    async with foreign_server(tmp_path, {"/healthz": {"state": "loading"}}) as server:
        client = Client(connect)
        first, second = (asyncio.create_task(client.health()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        may_connect.set()
        assert (await second).state == "loading"
        assert connections == 1
        await client.close()
