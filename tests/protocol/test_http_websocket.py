"""`/v1/stream`: many requests over one WebSocket of a real server."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import websockets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heron.host.api import connection
from heron.host.api.doorway import Endpoint
from heron.host.api.multiplex import MAX_RUNNING
from heron.host.engine.scripted import Reply, Script, ScriptedEngine
from heron.host.tokens import token_store
from protocol.http_host import CHAT
from protocol.tcp_host import serving

COMPLETE = {"path": "/v1/completions", "body": {"prompt": "x", "stream": True}}
CHATS = {"path": "/v1/chat/completions", "body": {"messages": CHAT}}


@asynccontextmanager
async def connected(endpoint: Endpoint, token: str = "") -> AsyncIterator[websockets.ClientConnection]:
    url = endpoint.address.base_url.replace("http", "ws", 1) + "/v1/stream"
    headers = {"Authorization": f"Bearer {token or endpoint.address.token}"}
    async with websockets.connect(url, additional_headers=headers, proxy=None) as socket:
        yield socket


async def answer_of(socket: websockets.ClientConnection, id: str | None) -> list[Any]:
    """The messages of one request up to its last; those of others are dropped."""
    messages = []
    while True:
        message = json.loads(await asyncio.wait_for(socket.recv(), 20))
        if message["id"] == id:
            messages.append(message)
            if "data" not in message:
                return messages


async def test_a_socket_may_be_silent_for_longer_than_a_head_may_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEADER_TIME_S", 0.2)
    async with serving(tmp_path, ScriptedEngine("one")) as endpoint, connected(endpoint) as socket:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.recv(), 0.4)
        await socket.send(json.dumps({"id": "a", **COMPLETE}))
        assert (await answer_of(socket, "a"))[-1] == {"id": "a", "done": True}


async def test_two_requests_at_once_each_get_their_own_answer(tmp_path: Path) -> None:
    engine = ScriptedEngine("one two three")
    async with serving(tmp_path, engine) as endpoint, connected(endpoint) as socket:
        await socket.send(json.dumps({"id": "a", **COMPLETE}))
        await socket.send(json.dumps({"id": "b", **CHATS, "priority": "background"}))
        received = [json.loads(await asyncio.wait_for(socket.recv(), 20)) for _ in range(2)]
        while sum("done" in message for message in received) < 2:
            received.append(json.loads(await asyncio.wait_for(socket.recv(), 20)))
    *deltas, last = (message for message in received if message["id"] == "a")
    assert "".join(delta["data"]["choices"][0]["text"] for delta in deltas) == "one two three"
    assert last == {"id": "a", "done": True}
    (whole, _) = (message for message in received if message["id"] == "b")
    assert whole["data"]["choices"][0]["message"]["content"] == "one two three"
    assert sorted(request.priority for request in engine.requests) == ["background", "completion"]


async def test_a_cancelled_request_stops_its_sequence_and_no_other(tmp_path: Path) -> None:
    engine = ScriptedEngine({"slow": Reply("never done", hold_after=1), "": Reply("quick")})
    async with serving(tmp_path, engine) as endpoint, connected(endpoint) as socket:
        await socket.send(json.dumps({"id": "a", "path": "/v1/completions", "body": {"prompt": "slow"}}))
        await engine.wait_for(lambda engine: len(engine.requests) == 1)
        await socket.send(json.dumps({"id": "a", "cancel": True}))
        assert await answer_of(socket, "a") == [{"id": "a", "cancelled": True}]
        await engine.wait_for(lambda engine: len(engine.aborted) == 1)
        engine.release()
        await socket.send(json.dumps({"id": "b", **CHATS}))
        assert (await answer_of(socket, "b"))[-1] == {"id": "b", "done": True}


async def test_a_client_that_leaves_stops_all_its_sequences(tmp_path: Path) -> None:
    engine = ScriptedEngine(Script(otherwise=Reply("never done", hold_after=1)))
    async with serving(tmp_path, engine) as endpoint:
        async with connected(endpoint) as socket:
            for id in "ab":
                await socket.send(json.dumps({"id": id, **COMPLETE}))
            await engine.wait_for(lambda engine: len(engine.requests) == 2)
        await engine.wait_for(lambda engine: len(engine.aborted) == 2)


@pytest.mark.parametrize(
    ("message", "id", "words"),
    [
        ("{", None, "not JSON"),
        ("[]", None, "JSON object"),
        ('{"id": 1}', 1, "id: "),
        ('{"id": "a", "path": "/metrics", "body": {}}', "a", "path: '/metrics' is not one of"),
        ('{"id": "a", "path": "/infill"}', "a", "body: "),
        ('{"id": "a", "path": "/v1/completions", "body": {}}', "a", "prompt is missing"),
        ('{"id": "a", "path": "/infill", "body": {}, "priority": "now"}', "a", "X-Heron-Priority: 'now'"),
        ('{"id": "a", "path": "/infill", "body": {}, "priority": 1}', "a", "priority: "),
        ('{"id": "a", "path": "/infill", "body": {}, "priority": "\\ud800"}', "a", "priority: "),
        ('{"id": "\\ud800", "path": "/infill", "body": {}}', None, "id: "),
        ('{"id": ["a"], "cancel": true}', None, "id: "),
        ('{"id": "a", "path": ["/infill"], "body": {}}', "a", "path: "),
    ],
)
async def test_what_is_wrong_is_named_and_the_connection_goes_on(
    tmp_path: Path, message: str, id: object, words: str
) -> None:
    async with serving(tmp_path, ScriptedEngine("ok")) as endpoint, connected(endpoint) as socket:
        await socket.send(message)
        refusal = json.loads(await asyncio.wait_for(socket.recv(), 20))
        assert (refusal["id"], refusal["status"]) == (id, 400)
        assert words in refusal["error"]["message"]
        await socket.send(json.dumps({"id": "b", **CHATS}))
        assert (await answer_of(socket, "b"))[-1] == {"id": "b", "done": True}


async def test_too_many_at_once_and_the_same_id_twice(tmp_path: Path) -> None:
    engine = ScriptedEngine(Script(otherwise=Reply("never done", hold_after=1)))
    async with serving(tmp_path, engine) as endpoint, connected(endpoint) as socket:
        for number in range(MAX_RUNNING):
            await socket.send(json.dumps({"id": str(number), **COMPLETE}))
        await socket.send(json.dumps({"id": "more", **COMPLETE}))
        assert (await answer_of(socket, "more"))[-1]["status"] == 429
        await socket.send(json.dumps({"id": "0", **COMPLETE}))
        assert "id of a request that runs" in (await answer_of(socket, "0"))[-1]["error"]["message"]


async def test_scopes_hold_for_each_request(tmp_path: Path) -> None:
    _, secret = token_store(tmp_path).create("ann", ["complete"])
    async with serving(tmp_path, ScriptedEngine("ok")) as endpoint, connected(endpoint, secret) as socket:
        await socket.send(json.dumps({"id": "a", **CHATS}))
        assert (await answer_of(socket, "a"))[-1]["status"] == 403
        await socket.send(json.dumps({"id": "b", **COMPLETE}))
        assert (await answer_of(socket, "b"))[-1] == {"id": "b", "done": True}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Origin": "https://evil.example"}])
async def test_who_may_not_ask_cannot_connect(tmp_path: Path, headers: dict[str, str]) -> None:
    async with serving(tmp_path, ScriptedEngine("ok")) as endpoint:
        if "Origin" in headers:
            headers = headers | {"Authorization": f"Bearer {endpoint.address.token}"}
        url = endpoint.address.base_url.replace("http", "ws", 1) + "/v1/stream"
        with pytest.raises(websockets.InvalidStatus, match="403"):
            await websockets.connect(url, additional_headers=headers, proxy=None)


async def test_a_browser_names_its_token_as_a_subprotocol(tmp_path: Path) -> None:
    async with serving(tmp_path, ScriptedEngine("ok")) as endpoint:
        url = endpoint.address.base_url.replace("http", "ws", 1) + "/v1/stream"
        protocols = [websockets.Subprotocol("heron"), websockets.Subprotocol(f"bearer.{endpoint.address.token}")]
        async with websockets.connect(url, subprotocols=protocols, proxy=None) as socket:
            assert socket.subprotocol == "heron"
            await socket.send(json.dumps({"id": "b", **CHATS}))
            assert (await answer_of(socket, "b"))[-1] == {"id": "b", "done": True}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "path", "body", "x"]), inner),
    max_leaves=6,
)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=20) | st.binary(max_size=20) | JSON.map(json.dumps))
async def test_any_message_leaves_the_host_well(tmp_path: Path, message: str | bytes) -> None:
    async with serving(tmp_path, ScriptedEngine("ok")) as endpoint:
        async with connected(endpoint) as socket:
            await socket.send(message)
        async with connected(endpoint) as socket:
            await socket.send(json.dumps({"id": "b", **CHATS}))
            assert (await answer_of(socket, "b"))[-1] == {"id": "b", "done": True}
