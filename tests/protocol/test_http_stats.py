"""`GET /v1/stats`, and whose request an engine is told it is."""

import pytest

from heron.host.engine.scripted import ScriptedEngine
from protocol.http_host import CHAT, in_memory


async def test_stats_tell_health_engine_and_host() -> None:
    engine = ScriptedEngine("hello")
    async with in_memory(engine) as client:
        await client.post("/v1/completions", json={"prompt": "x"})
        stats = (await client.get("/v1/stats")).json()
    assert stats["health"]["state"] == "ready"
    assert stats["engine"]["requests_total"] == 1
    assert (stats["engine"]["loaded"], stats["engine"]["worker_crashes_total"]) == (1, 0)
    assert stats["host"]["resident_bytes"] > 1_000_000


@pytest.mark.parametrize(
    ("headers", "body", "client_name"),
    [
        ({"X-Heron-Client": "window-1"}, {"user": "me"}, "window-1"),
        ({}, {"user": "me"}, "me"),
        ({}, {}, "127.0.0.1"),
        ({"X-Heron-Client": "x" * 500}, {}, "x" * 200),
    ],
)
@pytest.mark.parametrize("path", ["/v1/completions", "/v1/chat/completions"])
async def test_a_request_says_whose_it_is(
    path: str, headers: dict[str, str], body: dict[str, str], client_name: str
) -> None:
    engine = ScriptedEngine("hello")
    asked = {"messages": CHAT} if "chat" in path else {"prompt": "x"}
    async with in_memory(engine) as client:
        assert (await client.post(path, json=asked | body, headers=headers)).status_code == 200
    assert [request.client for request in engine.requests] == [client_name]
