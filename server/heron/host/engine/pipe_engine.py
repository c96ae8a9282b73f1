"""The host's end of the pipe: an Engine whose requests run in a worker."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from heron.errors import HeronError, SystemFault
from heron.host.engine.pipe import (
    Abort,
    Close,
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
    error_of,
)
from heron.host.engine.spans import Share, StepSpan
from heron.wire import Delta, GenerateRequest, ModelInfo

_Answer = DeltaSent | TokensRead | MetricsRead | StepsRead
_A = TypeVar("_A", DeltaSent, TokensRead, MetricsRead, StepsRead)
_Inbox = asyncio.Queue[_Answer | HeronError]


class PipeEngine:
    """Sends requests through `send` and sorts the answers given to `receive` by request.

    Every request gets an id of its own on the pipe, so that what still arrives for an aborted one reaches nobody.
    """

    def __init__(self, model: ModelInfo, send: Callable[[HostMessage], None]) -> None:
        self._model = model
        self._send = send
        self._inboxes: dict[str, _Inbox] = {}
        self._numbers = itertools.count()
        self._broken: HeronError | None = None

    @property
    def model(self) -> ModelInfo:
        return self._model

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Delta, None]:
        with self._open_inbox(request.request_id) as (wire_id, inbox):
            self._send(Generate(replace(request, request_id=wire_id)))
            running = True
            try:
                while running:
                    delta = (await _next_answer(inbox, DeltaSent)).delta
                    running = delta.finish_reason is None
                    yield delta
            except HeronError:
                running = False
                raise
            finally:
                if running:
                    self._send(Abort(wire_id))

    async def tokenize(self, text: str) -> list[int]:
        with self._open_inbox("tokenize") as (wire_id, inbox):
            self._send(Tokenize(wire_id, text))
            return list((await _next_answer(inbox, TokensRead)).token_ids)

    async def metrics(self) -> dict[str, float]:
        with self._open_inbox("metrics") as (wire_id, inbox):
            self._send(ReadMetrics(wire_id))
            return (await _next_answer(inbox, MetricsRead)).metrics

    async def steps(self, since_s: float) -> tuple[StepSpan, ...]:
        """The worker's, with the names that requests have on this side."""
        with self._open_inbox("steps") as (wire_id, inbox):
            self._send(ReadSteps(wire_id, since_s))
            steps = (await _next_answer(inbox, StepsRead)).steps
        return tuple(replace(step, shares=tuple(map(_rename, step.shares))) for step in steps)

    async def close(self) -> None:
        if self._broken is None:
            self._send(Close())
            self.fail(SystemFault("The engine was closed."))

    def receive(self, message: WorkerMessage) -> None:
        """Hand a message of the worker to the request it answers; others are ignored."""
        match message:
            case DeltaSent(request_id=wire_id):
                self._put(wire_id, message)
            case TokensRead(call_id=wire_id) | MetricsRead(call_id=wire_id) | StepsRead(call_id=wire_id):
                self._put(wire_id, message)
            case RequestFailed(request_id=wire_id, failure=failure):
                self._put(wire_id, error_of(failure))

    def fail(self, error: HeronError) -> None:
        """End every request with an error, now and from now on: the worker is gone."""
        self._broken = error
        for wire_id in list(self._inboxes):
            self._put(wire_id, error)

    def _put(self, wire_id: str, answer: _Answer | HeronError) -> None:
        if inbox := self._inboxes.get(wire_id):
            inbox.put_nowait(answer)

    @contextmanager
    def _open_inbox(self, name: str) -> Iterator[tuple[str, _Inbox]]:
        if self._broken is not None:
            raise self._broken
        wire_id = f"{name}#{next(self._numbers)}"
        self._inboxes[wire_id] = inbox = _Inbox()
        try:
            yield wire_id, inbox
        finally:
            del self._inboxes[wire_id]


def _rename(share: Share) -> Share:
    return replace(share, request_id=share.request_id.rpartition("#")[0])


async def _next_answer(inbox: _Inbox, kind: type[_A]) -> _A:
    answer = await inbox.get()
    if isinstance(answer, HeronError):
        raise answer
    if not isinstance(answer, kind):
        raise SystemFault(f"The engine worker answered with {type(answer).__name__}.")
    return answer
