"""What the routes ask of the pool, and how they get a ready engine for a request."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Protocol

from heron.errors import HeronError, ModelNotReady, UnknownModel, WorkerCrashed
from heron.host.engine.engine import Engine
from heron.wire import Delta, GenerateRequest, Health, Usage

logger = logging.getLogger(__name__)

PATIENCE_S = 5.0
"""How long a request waits for a model that is just being loaded, or reloaded after a crash."""
ANY_MODEL = (None, "", "auto")
"""What a client sends that takes the loaded model, and what a pool calls a model it has not chosen yet."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A request that ended. `outcome` is its finish reason, `cancelled`, or the code of an error of this `category`.

    Times are in milliseconds from the request on; `first_ms` is 0 if nothing came.
    """

    request: GenerateRequest
    outcome: str
    category: str
    first_ms: float
    whole_ms: float
    usage: Usage


Observe = Callable[[Finished], None]


class EnginePool(Protocol):
    """The pool as the routes see it; `heron.host.pool.Pool` is one."""

    async def start(self) -> None: ...

    def health(self) -> Health: ...

    async def engine(self) -> Engine:
        """The engine as soon as it is ready. Raises the HeronError that keeps it from being so."""
        ...

    async def metrics(self) -> dict[str, float]:
        """Counters and gauges of the pool, and of the engine while it is loaded."""
        ...

    async def close(self) -> None: ...


async def ready_engine(pool: EnginePool, model: str | None) -> Engine:
    """The engine that serves `model` (None, "" and "auto" take the loaded one).

    Raises UnknownModel for another model, ModelNotReady at once while weights are fetched or compiled, which takes
    long, and after a short wait while they are loaded.
    """
    health = pool.health()
    if health.state in ("downloading", "compiling"):
        raise _not_ready(health)
    try:
        async with asyncio.timeout(PATIENCE_S):
            engine = await pool.engine()
    except TimeoutError:
        raise _not_ready(pool.health()) from None
    if model not in (*ANY_MODEL, engine.model.id):
        raise UnknownModel(f"The model {model!a} is not served here.", hint=f"This host serves {engine.model.id!r}.")
    return engine


async def generate(engine: Engine, request: GenerateRequest, observe: Observe) -> AsyncGenerator[Delta, None]:
    """The engine's deltas up to the one that finishes; a stream that breaks off without it raises WorkerCrashed.

    Tells how it ended, and logs one line: times to the first delta and to the end, tokens, outcome; never its text.
    """
    record = _Record(time.monotonic())
    try:
        async with aclosing(engine.generate(request)) as deltas:
            async for delta in deltas:
                record.note(delta)
                yield delta
                if delta.finish_reason is not None:
                    return
        raise WorkerCrashed("The engine broke off the answer.", hint="Try again.")
    except HeronError as error:
        record.outcome, record.category = error.code, error.category
        raise
    finally:
        logger.info("%s %s %s", request.request_id, request.priority, record.describe())
        observe(record.finish(request))


@dataclass(slots=True)
class _Record:
    """What the log tells of one request."""

    begin_s: float
    first_ms: float = 0.0
    usage: Usage = field(default_factory=Usage)
    completion_tokens: int = 0
    outcome: str = "cancelled"
    category: str = ""

    def note(self, delta: Delta) -> None:
        self.first_ms = self.first_ms or self._elapsed_ms()
        self.usage = delta.usage or self.usage
        self.completion_tokens += len(delta.token_ids)
        self.outcome = delta.finish_reason or self.outcome

    def finish(self, request: GenerateRequest) -> Finished:
        usage = replace(self.usage, completion_tokens=self.completion_tokens)
        return Finished(request, self.outcome, self.category, self.first_ms, self._elapsed_ms(), usage)

    def describe(self) -> str:
        tokens = f"{self.usage.prompt_tokens} ({self.usage.cached_tokens} cached) + {self.completion_tokens}"
        return f"{self.outcome}: first {self.first_ms:.0f} ms, all {self._elapsed_ms():.0f} ms, {tokens} tokens"

    def _elapsed_ms(self) -> float:
        return (time.monotonic() - self.begin_s) * 1000


def _not_ready(health: Health) -> ModelNotReady:
    done = f" ({health.fraction:.0%})" if health.fraction is not None else ""
    detail = f": {health.message}" if health.message else ""
    model = "The model" if health.model in ANY_MODEL else f"The model {health.model!r}"
    return ModelNotReady(f"{model} is not ready yet, it is {health.state}{done}{detail}.", hint="Try again shortly.")
