"""What the routes ask of the pool, and how they get a ready engine for a request."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any, Protocol

from heron.errors import HeronError, ModelNotReady, Revoked, WorkerCrashed
from heron.host.api.ledger import Ledger
from heron.host.api.response_cache import ResponseCache
from heron.host.engine.engine import Engine
from heron.host.engine.spans import StepSpan
from heron.logs import fields
from heron.wire import Delta, GenerateRequest, Health

logger = logging.getLogger(__name__)

PATIENCE_S = 5.0
"""How long a request waits for a model that is just being loaded, or reloaded after a crash."""
OTHER_PATIENCE_S = 45.0
"""The same for another model than the chosen one, whose progress clients do not see."""
ANY_MODEL = (None, "", "auto")
"""What a client sends that takes the loaded model, and what a pool calls a model it has not chosen yet."""


class EnginePool(Protocol):
    """The pool as the routes see it; `heron.host.pool.Pool` is one."""

    async def start(self) -> None: ...

    def health(self) -> Health: ...

    async def engine(self) -> Engine:
        """The engine as soon as it is ready. Raises the HeronError that keeps it from being so."""
        ...

    async def other_engine(self, model: str) -> Engine:
        """The engine of another installed model, loaded if it is not. Raises UnknownModel if it is not here."""
        ...

    def others(self) -> tuple[Health, ...]:
        """The state of every other installed model."""
        ...

    async def metrics_of_others(self) -> dict[str, dict[str, float]]:
        """Counters and gauges of the others that were asked for, by name."""
        ...

    async def metrics(self) -> dict[str, float]:
        """Counters and gauges of the pool, and of the engine while it is loaded."""
        ...

    async def steps(self, since_s: float) -> dict[str, tuple[StepSpan, ...]]:
        """What the engines' steps since then were spent on, by model."""
        ...

    async def unload(self, model: str = "") -> None:
        """Give a model's memory back now, or that of all. Raises Overloaded while requests run on it, UnknownModel."""
        ...

    async def wake(self, model: str = "") -> None:
        """Load a model, or the chosen one, again if it was unloaded; returns at once."""
        ...

    async def close(self) -> None: ...


async def ready_engine(pool: EnginePool, model: str | None) -> Engine:
    """The engine that serves `model` (None, "" and "auto" take the chosen one).

    Raises UnknownModel for a model that is not on this machine, ModelNotReady at once while the chosen one is fetched
    or compiled, which takes long, and after a while when one is loaded.
    """
    health = pool.health()
    if model not in ANY_MODEL and health.model not in (*ANY_MODEL, model):
        return await _in_time(pool.other_engine(model), OTHER_PATIENCE_S, Health("loading", model))
    if health.state in ("downloading", "compiling"):
        raise _not_ready(health)
    engine = await _in_time(pool.engine(), PATIENCE_S, health)
    if model in (*ANY_MODEL, engine.model.id):
        return engine
    return await _in_time(pool.other_engine(model), OTHER_PATIENCE_S, Health("loading", model))


async def _in_time(loading: Coroutine[Any, Any, Engine], patience_s: float, health: Health) -> Engine:
    try:
        async with asyncio.timeout(patience_s):
            return await loading
    except TimeoutError:
        raise _not_ready(health) from None


async def generate(
    engine: Engine, request: GenerateRequest, ledger: Ledger, cache: ResponseCache | None = None
) -> AsyncGenerator[Delta, None]:
    """The engine's deltas up to the one that finishes; a stream that breaks off without it raises WorkerCrashed.

    With a cache, the answer that it keeps of an equal request.

    Kept in the ledger from begin to end, and one line in the log: times, tokens, outcome; never its text.
    """
    live = ledger.begin(request, engine.model.id)
    try:
        source = cache.generate(engine, request) if cache else engine.generate(request)
        async with aclosing(source) as deltas:
            async for delta in deltas:
                live.note(delta)
                yield delta
                if delta.finish_reason is not None:
                    return
        raise WorkerCrashed("The engine broke off the answer.", hint="Try again.")
    except HeronError as error:
        ledger.fail(live, error)
        raise
    except asyncio.CancelledError:
        if not live.is_revoked or live.task is None:
            raise
        live.task.uncancel()
        revoked = Revoked("This request was stopped on the host's dashboard.")
        ledger.fail(live, revoked)
        raise revoked from None
    finally:
        figures = fields(live.figures())
        logger.info("%s %s %s", request.request_id, request.priority, live.describe(), extra=figures)
        ledger.end(live)


def _not_ready(health: Health) -> ModelNotReady:
    done = f" ({health.fraction:.0%})" if health.fraction is not None else ""
    detail = f": {health.message}" if health.message else ""
    model = "The model" if health.model in ANY_MODEL else f"The model {health.model!r}"
    return ModelNotReady(f"{model} is not ready yet, it is {health.state}{done}{detail}.", hint="Try again shortly.")
