"""`GET /metrics`: what the host did and does, in Prometheus' text format."""

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from heron.host.api.engines import EnginePool
from heron.host.api.ledger import Finished
from heron.host.api.response_cache import ResponseCache

PATH = "/metrics"
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Telemetry:
    """Counts finished requests. Holds no text of them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = self._count("requests", "Requests by priority and outcome.", "priority", "outcome")
        self._errors = self._count("errors", "Failed requests by category of error.", "category")
        self._tokens = self._count("tokens", "Tokens by kind: prompt, cached (of the prompt), completion.", "kind")
        self._first = self._time("first_token_seconds", "From request to first text.")
        self._whole = self._time("request_seconds", "From request to end.")

    def note(self, finished: Finished) -> None:
        """Count one request that ended, however it did."""
        priority, usage = finished.request.priority, finished.usage
        self._requests.labels(priority, finished.outcome).inc()
        if finished.category:
            self._errors.labels(finished.category).inc()
        self._tokens.labels("prompt").inc(usage.prompt_tokens)
        self._tokens.labels("cached").inc(usage.cached_tokens)
        self._tokens.labels("completion").inc(usage.completion_tokens)
        self._whole.labels(priority).observe(finished.whole_ms / 1000)
        if finished.first_ms:
            self._first.labels(priority).observe(finished.first_ms / 1000)

    def _count(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"heron_{name}", text, labels, registry=self.registry)

    def _time(self, name: str, text: str) -> Histogram:
        return Histogram(f"heron_{name}", text, ("priority",), registry=self.registry, buckets=_SECONDS)


class _EngineNumbers(Collector):
    """The numbers of pools and their engines by model, as they were when asked."""

    def __init__(self, numbers: Mapping[str, Mapping[str, float]]) -> None:
        self._numbers = numbers

    def collect(self) -> Iterable[Metric]:
        for name in dict.fromkeys(name for numbers in self._numbers.values() for name in numbers):
            kind: Any = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            family = kind(f"heron_engine_{name}", f"{name} of the engine; see /v1/stats.", labels=["model"])
            for model, numbers in self._numbers.items():
                if name in numbers:
                    family.add_metric([model], numbers[name])
            yield family


class _CacheNumbers(Collector):
    """The numbers of the response cache, likewise."""

    def __init__(self, numbers: dict[str, float]) -> None:
        self._numbers = numbers

    def collect(self) -> Iterable[Metric]:
        for name, value in self._numbers.items():
            kind: Any = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            yield kind(f"heron_{name}", f"{name}: answers given again without the model.", value=value)


def metrics_router(pool: EnginePool, telemetry: Telemetry, cache: ResponseCache) -> APIRouter:
    router = APIRouter()

    @router.get(PATH, response_model=None)
    async def show_metrics() -> Response:
        """Of the chosen model and each other that was asked for; one that is unloaded is not loaded for it."""
        numbers = {**await pool.metrics_of_others(), pool.health().model: await pool.metrics()}
        engine = CollectorRegistry(auto_describe=False)
        engine.register(_EngineNumbers(numbers))
        engine.register(_CacheNumbers(cache.metrics()))
        text = generate_latest(telemetry.registry) + generate_latest(engine)
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return router
