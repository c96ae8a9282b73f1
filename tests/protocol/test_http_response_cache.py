"""Answers from memory by HTTP: what a client sees of them, how it goes without, and where they are counted."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from heron.host.api.app import create_app
from heron.host.api.auth import Auth
from heron.host.api.service import make_service
from heron.host.engine.scripted import Script, ScriptedEngine
from protocol.http_host import CHAT, events_of, pool_of

GREEDY = {"prompt": "x", "temperature": 0}


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine("an answer of words", model=replace(Script().model, fingerprint="1"))


@pytest.fixture
async def client(engine: ScriptedEngine) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(make_service(pool_of(engine), response_cache_mb=1), Auth())
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://host") as client,
    ):
        yield client


async def test_the_same_question_is_answered_from_memory_whole_or_as_a_stream(
    client: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    first = (await client.post("/v1/completions", json=GREEDY)).json()
    again = (await client.post("/v1/completions", json=GREEDY)).json()
    stream = events_of((await client.post("/v1/completions", json=GREEDY | {"stream": True})).text)
    assert len(engine.requests) == 1
    assert again["choices"] == first["choices"]
    assert again["id"] != first["id"]
    assert stream[0]["choices"][0]["text"] == first["choices"][0]["text"]


async def test_a_chat_likewise(client: httpx.AsyncClient, engine: ScriptedEngine) -> None:
    body = {"messages": CHAT, "temperature": 1, "seed": 7}
    answers = [(await client.post("/v1/chat/completions", json=body)).json()["choices"] for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(engine.requests) == 1


@pytest.mark.parametrize("wish", ["no-store", "max-age=0, No-Cache"])
async def test_a_client_can_go_without(client: httpx.AsyncClient, engine: ScriptedEngine, wish: str) -> None:
    for _ in range(2):
        await client.post("/v1/completions", json=GREEDY, headers={"Cache-Control": wish})
    assert len(engine.requests) == 2


async def test_it_is_shown(client: httpx.AsyncClient) -> None:
    for _ in range(3):
        await client.post("/v1/completions", json=GREEDY)
    text = (await client.get("/metrics")).text
    found = {s.name: s.value for family in text_string_to_metric_families(text) for s in family.samples}
    assert (found["heron_response_cache_hits_total"], found["heron_response_cache_misses_total"]) == (2, 1)
    assert 0 < found["heron_response_cache_bytes"] <= found["heron_response_cache_limit_bytes"] == 1_000_000
    assert (await client.get("/v1/overview")).json()["cache"]["response_cache_entries"] == 1
