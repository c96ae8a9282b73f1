"""`GET /metrics`: Prometheus' own parser reads it, and it counts."""

from prometheus_client.parser import text_string_to_metric_families

from heron.errors import InvalidRequest
from heron.host.engine.scripted import ScriptedEngine
from heron.host.fleet import Fleet, MakeRoom
from heron.host.pool import Pool
from heron.host.workers import InProcessWorker
from heron.settings import Settings
from heron.wire import ModelInfo
from protocol.http_host import CHAT, in_memory


def read_samples(text: str) -> dict[tuple[str, ...], float]:
    """Values by name and labels."""
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_every_model_that_was_asked_for_has_its_numbers() -> None:
    engines = {name: ScriptedEngine("yes", model=ModelInfo(name or "main", 4096)) for name in ("", "large")}

    def make_pool(name: str, make_room: MakeRoom) -> Pool:
        return Pool(Settings(), lambda settings: InProcessWorker(engines[name]), make_room=make_room)

    async with in_memory(Fleet(make_pool, lambda: ("large", "other"))) as client:
        for model in ("main", "large", "large"):
            await client.post("/v1/completions", json={"prompt": "x", "model": model})
        answer = await client.get("/metrics")
    samples = read_samples(answer.text)
    assert samples["heron_engine_requests_total", "main"] == 1
    assert samples["heron_engine_requests_total", "large"] == 2
    assert samples["heron_engine_loaded", "large"] == samples["heron_engine_loaded", "main"] == 1
    assert ("heron_engine_loaded", "other") not in samples
    assert answer.text.count("# TYPE heron_engine_loaded ") == 1


async def test_requests_tokens_errors_and_the_engine_are_counted() -> None:
    engine = ScriptedEngine({"bad": InvalidRequest("No."), "": "three words here"})
    async with in_memory(engine) as client:
        await client.post("/v1/completions", json={"prompt": "x"})
        await client.post("/v1/chat/completions", json={"messages": CHAT})
        await client.post("/v1/completions", json={"prompt": "bad"})
        answer = await client.get("/metrics")
    samples = read_samples(answer.text)
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
