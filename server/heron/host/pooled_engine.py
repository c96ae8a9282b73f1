"""A pool's engine as requests see it: over the lives of its workers."""

from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, aclosing
from typing import Protocol

from heron.errors import WorkerCrashed, WorkerKilled
from heron.host.engine.engine import Engine
from heron.host.engine.spans import StepSpan
from heron.host.replay import AnswerChanged, Replay, make_repeatable
from heron.wire import Delta, GenerateRequest, ModelInfo

MAX_VAIN_LIVES = 2
"""After so many workers that ended without a new token for it, a request is taken to be what ends them."""


class Lives(Protocol):
    """What gives one engine after the other; `heron.host.pool.Pool` does."""

    async def current_engine(self) -> Engine:
        """The engine of the present worker; it ends with it."""
        ...

    def use(self) -> AbstractContextManager[None]:
        """Count a request as running for the length of a with block."""
        ...

    def forget(self, engine: Engine) -> None:
        """Let callers wait for the next engine: the worker of this one was seen to end."""
        ...

    def note_answer(self) -> None:
        """The present life answered a request."""
        ...

    async def metrics(self) -> dict[str, float]: ...

    async def steps(self, since_s: float) -> tuple[StepSpan, ...]: ...


class PooledEngine:
    """An engine that survives its worker: a request whose worker ended goes on with the next one."""

    def __init__(self, lives: Lives, model: ModelInfo) -> None:
        self._lives = lives
        self._model = model

    @property
    def model(self) -> ModelInfo:
        return self._model

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Delta, None]:
        with self._lives.use():
            async with aclosing(self._generate_over_lives(request)) as deltas:
                async for delta in deltas:
                    yield delta

    async def tokenize(self, text: str) -> list[int]:
        with self._lives.use():
            return await (await self._lives.current_engine()).tokenize(text)

    async def metrics(self) -> dict[str, float]:
        return await self._lives.metrics()

    async def steps(self, since_s: float) -> tuple[StepSpan, ...]:
        return await self._lives.steps(since_s)

    async def close(self) -> None:
        """Nothing: the pool owns the worker."""

    async def _generate_over_lives(self, request: GenerateRequest) -> AsyncGenerator[Delta, None]:
        request, replay, num_vain = make_repeatable(request), Replay(), 0
        while True:
            engine = await self._lives.current_engine()
            replay.begin()
            try:
                async with aclosing(engine.generate(request)) as deltas:
                    async for delta in deltas:
                        if delta.finish_reason is not None:
                            self._lives.note_answer()
                        if (fresh := replay.pass_on(delta)) is not None:
                            yield fresh
                return
            except AnswerChanged:
                raise
            except WorkerCrashed as error:
                num_vain += not (replay.has_gained or isinstance(error, WorkerKilled))
                if num_vain >= MAX_VAIN_LIVES:
                    raise
                self._lives.forget(engine)
