"""The worker's end of the pipe: runs the host's requests on an engine and sends what comes of them."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import Any

from heron.errors import HeronError, WorkerCrashed
from heron.host.engine.engine import Engine
from heron.host.engine.pipe import (
    Abort,
    DeltaSent,
    Generate,
    HostMessage,
    MetricsRead,
    ReadMetrics,
    ReadSteps,
    RequestFailed,
    StepsRead,
    Tokenize,
    TokensRead,
    WorkerMessage,
    failure_of,
)
from heron.wire import GenerateRequest

Work = Callable[[], Coroutine[Any, Any, None]]
"""Called when its task runs: one that is cancelled before has nothing begun."""

_log = logging.getLogger(__name__)


def _stay(fault: WorkerCrashed) -> None:
    """Nothing: for an engine that is not a process's own."""


class PipeServer:
    """Answers Generate, Abort, Tokenize, ReadMetrics and ReadSteps, each request in its own task.

    `leave` is called, with what happened, when the engine has broken down: only another worker can go on.
    """

    def __init__(
        self, engine: Engine, send: Callable[[WorkerMessage], None], leave: Callable[[WorkerCrashed], None] = _stay
    ) -> None:
        self._engine = engine
        self._send = send
        self._leave = leave
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def receive(self, message: HostMessage) -> None:
        """Start or stop what a message asks for; never waits."""
        match message:
            case Generate(request=request):
                self._start(request.request_id, lambda: self._generate(request))
            case Abort(request_id=request_id):
                if task := self._tasks.get(request_id):
                    task.cancel()
            case Tokenize(call_id=call_id, text=text):
                self._start(call_id, lambda: self._tokenize(call_id, text))
            case ReadMetrics(call_id=call_id):
                self._start(call_id, lambda: self._read_metrics(call_id))
            case ReadSteps(call_id=call_id, since_s=since_s):
                self._start(call_id, lambda: self._read_steps(call_id, since_s))

    async def close(self) -> None:
        """Abort all requests and close the engine."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self._engine.close()

    def _start(self, request_id: str, work: Work) -> None:
        task = asyncio.create_task(self._guard(request_id, work), name=request_id)
        self._tasks[request_id] = task
        task.add_done_callback(lambda _: self._tasks.pop(request_id, None))

    async def _guard(self, request_id: str, work: Work) -> None:
        try:
            await work()
        except HeronError as error:
            self._send(RequestFailed(request_id, failure_of(error)))
            if isinstance(error, WorkerCrashed):
                self._leave(error)
        except Exception as error:
            _log.exception("request %s failed", request_id)
            self._send(RequestFailed(request_id, failure_of(error)))

    async def _generate(self, request: GenerateRequest) -> None:
        async with aclosing(self._engine.generate(request)) as deltas:
            async for delta in deltas:
                self._send(DeltaSent(request.request_id, delta))

    async def _tokenize(self, call_id: str, text: str) -> None:
        self._send(TokensRead(call_id, tuple(await self._engine.tokenize(text))))

    async def _read_metrics(self, call_id: str) -> None:
        self._send(MetricsRead(call_id, await self._engine.metrics()))

    async def _read_steps(self, call_id: str, since_s: float) -> None:
        self._send(StepsRead(call_id, await self._engine.steps(since_s)))
