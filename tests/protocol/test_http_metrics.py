"""`GET /metrics`: Prometheus' own parser reads it, and it counts."""

from prometheus_client.parser import text_string_to_metric_families

from heron.errors import InvalidRequest
from heron.host.engine.scripted import ScriptedEngine
from protocol.http_host import CHAT, in_memory


async def test_requests_tokens_errors_and_the_engine_are_counted() -> None:
    engine = ScriptedEngine({"bad": InvalidRequest("No."), "": "three words here"})
    async with in_memory(engine) as client:
        await client.post("/v1/completions", json={"prompt": "x"})
        await client.post("/v1/chat/completions", json={"messages": CHAT})
        await client.post("/v1/completions", json={"prompt": "bad"})
        answer = await client.get("/metrics")
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert samples["heron_requests_total", "completion", "stop"] == 1
    assert samples["heron_requests_total", "chat", "stop"] == 1
    assert samples["heron_requests_total", "completion", "invalid_request"] == 1
    assert samples["heron_errors_total", "integration"] == 1
    assert samples["heron_tokens_total", "completion"] > 2
    assert samples["heron_first_token_seconds_count", "completion"] == 1
    assert samples["heron_request_seconds_count", "completion"] == 2
    assert samples["heron_engine_requests_total", "scripted"] >= 2
    assert samples["heron_engine_loaded", "scripted"] == 1
    assert "bad" not in answer.text
