"""WebSockets at a real gateway whose replicas are the real application in this process: without Ray."""

import asyncio
import itertools
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import websockets
from starlette.types import ASGIApp

from heron.host.api.app import create_app
from heron.host.api.auth import LOOPBACK_NAMES, Auth
from heron.host.api.doors import server_config
from heron.host.api.service import make_service
from heron.host.deploy.ask import Ask
from heron.host.deploy.exchange import exchange
from heron.host.deploy.gateway import make_gateway
from heron.host.engine.scripted import Reply, Rule, Script, ScriptedEngine
from heron.host.tokens import token_store
from heron.wire import AFFINITY_HEADER
from protocol.http_host import pool_of

TOKEN = "a-token"
SCRIPT = Script((Rule("hold", Reply("a long answer", hold_after=1)),), Reply("an answer"))
OPEN = {"textDocument": {"uri": "file:///w/a.py", "languageId": "python", "version": 1, "text": "x = "}}


class Died(Exception): ...


@dataclass
class Gateway:
    """Where it listens, what was asked of its replicas, and how many of the next requests find theirs dead."""

    url: str
    asked: list[Ask] = field(default_factory=list)
    num_deaths: int = 0
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    lingers: bool = False
    """Whether answers do not end after their last message."""

    def connect(self, path: str, token: str = TOKEN, **headers: str) -> websockets.connect:
        sent = {"Authorization": f"Bearer {token}", **{name.replace("_", "-"): text for name, text in headers.items()}}
        return websockets.connect(self.url + path, additional_headers=sent, proxy=None)


class Answer:
    """A replica's, as Ray gives it."""

    def __init__(self, gateway: Gateway, messages: AsyncGenerator[dict[str, Any], None]) -> None:
        self._gateway, self._messages = gateway, messages

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        if self._gateway.num_deaths:
            self._gateway.num_deaths -= 1
            raise Died
        async for message in self._messages:
            yield message
        if self._gateway.lingers:
            await asyncio.Event().wait()

    def cancel(self) -> None:
        self._gateway.cancelled.set()


@pytest.fixture
async def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gateway]:
    monkeypatch.setenv("HERON_HOME", str(tmp_path))
    auth = Auth(TOKEN, LOOPBACK_NAMES, tokens=token_store(tmp_path))
    replica = create_app(make_service(pool_of(ScriptedEngine(SCRIPT))), auth)
    async with replica.router.lifespan_context(replica), listening(replica) as gateway:
        yield gateway


@asynccontextmanager
async def listening(replica: ASGIApp) -> AsyncIterator[Gateway]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        gateway = Gateway(f"ws://127.0.0.1:{listener.getsockname()[1]}")

        def ask_replica(ask: Ask) -> Answer:
            gateway.asked.append(ask)
            return Answer(gateway, exchange(replica, ask))

        server = uvicorn.Server(server_config(make_gateway(ask_replica, (Died,), ()), lifespan="off"))
        running = asyncio.create_task(server.serve(sockets=[listener]))
        yield gateway
        server.should_exit = True
        await running


async def send(socket: websockets.ClientConnection, **message: object) -> None:
    await socket.send(json.dumps(message))


async def receive(socket: websockets.ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), 30))
    return message


async def test_each_request_of_a_socket_goes_to_a_replica_by_its_own_key(gateway: Gateway) -> None:
    async with gateway.connect("/v1/stream") as socket:
        for prompt in ("one", "two", "one"):
            await send(socket, id=prompt, path="/v1/completions", body={"prompt": prompt, "temperature": 0})
            assert (await receive(socket))["data"]["choices"][0]["text"] == "an answer"
            assert (await receive(socket)) == {"id": prompt, "done": True}
    first, second, third = (ask.key for ask in gateway.asked[1:])
    assert first == third != second


async def test_a_socket_that_names_its_document_has_one_key(gateway: Gateway) -> None:
    async with gateway.connect("/v1/stream", **{AFFINITY_HEADER: "a.py"}) as socket:
        for prompt in ("one", "two"):
            await send(socket, id=prompt, path="/v1/completions", body={"prompt": prompt})
            await receive(socket)
            await receive(socket)
    assert len({ask.key for ask in gateway.asked[1:]}) == 1


async def test_a_replica_that_dies_costs_a_socket_nothing(gateway: Gateway) -> None:
    async with gateway.connect("/v1/stream") as socket:
        gateway.num_deaths = 2
        await send(socket, id="a", path="/v1/completions", body={"prompt": "x", "stream": True})
        text = ""
        while "done" not in (message := await receive(socket)):
            text += message["data"]["choices"][0]["text"]
    assert text == "an answer"


async def test_an_id_is_free_once_its_end_was_told(gateway: Gateway) -> None:
    async with gateway.connect("/v1/stream") as socket:
        gateway.lingers = True
        for path, last in (("/v1/completions", {"id": "a", "done": True}), ("/v1/embeddings", None)) * 2:
            await send(socket, id="a", path=path, body={"prompt": "x"})
            answer = await receive(socket)
            assert answer.get("status") == (None if last else 400), answer
            assert last is None or await receive(socket) == last


@pytest.mark.parametrize("leaves", [False, True])
async def test_cancelling_and_leaving_end_a_request_on_its_replica(gateway: Gateway, leaves: bool) -> None:
    async with gateway.connect("/v1/stream") as socket:
        await send(socket, id="a", path="/v1/completions", body={"prompt": "hold", "stream": True})
        assert "data" in await receive(socket)
        if not leaves:
            await send(socket, id="a", cancel=True)
            assert await receive(socket) == {"id": "a", "cancelled": True}
            await asyncio.wait_for(gateway.cancelled.wait(), 20)
    await asyncio.wait_for(gateway.cancelled.wait(), 20)


async def test_a_token_may_be_named_as_a_subprotocol(gateway: Gateway) -> None:
    protocols = [websockets.Subprotocol("heron"), websockets.Subprotocol(f"bearer.{TOKEN}")]
    async with websockets.connect(f"{gateway.url}/v1/stream", subprotocols=protocols, proxy=None) as socket:
        await send(socket, id="a", path="/v1/completions", body={"prompt": "x"})
        assert "data" in await receive(socket)


@pytest.mark.parametrize(
    ("path", "token", "headers"),
    [
        ("/v1/stream", "wrong", {}),
        ("/v1/stream", TOKEN, {"Origin": "https://evil.example"}),
        ("/nowhere", TOKEN, {}),
        ("/lsp", "wrong", {}),
    ],
)
async def test_whom_a_replica_would_refuse_gets_no_socket(
    gateway: Gateway, path: str, token: str, headers: dict[str, str]
) -> None:
    with pytest.raises(websockets.InvalidStatus, match="403"):
        await gateway.connect(path, token, **headers)


async def test_a_language_server_is_for_admins(gateway: Gateway, tmp_path: Path) -> None:
    _, secret = token_store(tmp_path).create("ann", ["complete", "chat"])
    with pytest.raises(websockets.InvalidStatus, match="403"):
        await gateway.connect("/lsp", secret)
    async with gateway.connect("/v1/stream", secret):
        pass


async def test_a_language_server_asks_the_gateway_it_is_reached_by(gateway: Gateway) -> None:
    async with gateway.connect("/lsp") as socket:
        numbers = itertools.count()

        async def ask(method: str, params: object) -> Any:
            number = next(numbers)
            await send(socket, jsonrpc="2.0", id=number, method=method, params=params)
            while (message := await receive(socket)).get("id") != number or "method" in message:
                pass
            return message["result"]

        await ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        await send(socket, jsonrpc="2.0", method="initialized", params={})
        await send(socket, jsonrpc="2.0", method="textDocument/didOpen", params=OPEN)
        position = {"textDocument": {"uri": "file:///w/a.py"}, "position": {"line": 0, "character": 4}}
        answer = await ask("textDocument/inlineCompletion", position | {"context": {"triggerKind": 1}})
    assert "an answer" in json.dumps(answer)
    assert "/v1/completions" in {ask.path for ask in gateway.asked}
