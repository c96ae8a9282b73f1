"""The requests of a host: those that run, those that ended of late, the errors among them. Never their text."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from heron.errors import HeronError
from heron.wire import Delta, GenerateRequest, Usage

_KEPT_ENDS, _KEPT_ERRORS = 500, 50
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Finished:
    """A request that ended. `outcome` is its finish reason, `cancelled`, or the code of an error of this `category`.

    Times are in milliseconds from the request on; `first_ms` is 0 if nothing came. `ended` is in seconds since 1970,
    `begin_s` in those of the monotonic clock.
    """

    request: GenerateRequest
    outcome: str
    category: str
    first_ms: float
    whole_ms: float
    usage: Usage
    ended: float = 0.0
    begin_s: float = 0.0
    model: str = ""


Observe = Callable[[Finished], None]


@dataclass(frozen=True, slots=True)
class Failure:
    """An error that a request met. `time` is in seconds since 1970."""

    time: float
    category: str
    code: str
    message: str


@dataclass(slots=True)
class Live:
    """A request that runs; from begin to end it is one line of the log."""

    request: GenerateRequest
    begin_s: float
    task: "asyncio.Task[object] | None" = None
    model: str = ""
    first_ms: float = 0.0
    usage: Usage = field(default_factory=Usage)
    completion_tokens: int = 0
    outcome: str = "cancelled"
    category: str = ""
    is_revoked: bool = False

    def note(self, delta: Delta) -> None:
        self.first_ms = self.first_ms or self.age_ms()
        self.usage = delta.usage or self.usage
        self.completion_tokens += len(delta.token_ids)
        self.outcome = delta.finish_reason or self.outcome

    def describe(self) -> str:
        tokens = f"{self.usage.prompt_tokens} ({self.usage.cached_tokens} cached) + {self.completion_tokens}"
        return f"{self.outcome}: first {self.first_ms:.0f} ms, all {self.age_ms():.0f} ms, {tokens} tokens"

    def figures(self) -> dict[str, Any]:
        """The same for machines."""
        return {
            "request": self.request.request_id,
            "priority": self.request.priority,
            "client": self.request.client,
            "outcome": self.outcome,
            "category": self.category,
            "first_ms": round(self.first_ms, 2),
            "whole_ms": round(self.age_ms(), 2),
            "prompt_tokens": self.usage.prompt_tokens,
            "cached_tokens": self.usage.cached_tokens,
            "completion_tokens": self.completion_tokens,
        }

    def age_ms(self) -> float:
        return (time.monotonic() - self.begin_s) * 1000


class Ledger:
    """Notes requests and tells observers of each that ends. Used from one event loop only."""

    def __init__(self, *observers: Observe) -> None:
        self._observers = observers
        self.live: dict[str, Live] = {}
        self.ended: deque[Finished] = deque(maxlen=_KEPT_ENDS)
        self.failures: deque[Failure] = deque(maxlen=_KEPT_ERRORS)
        self.num_ended = self.num_failures = 0

    def begin(self, request: GenerateRequest, model: str = "") -> Live:
        """Note a request that the running task will answer."""
        live = self.live[request.request_id] = Live(request, time.monotonic(), asyncio.current_task(), model)
        return live

    def fail(self, live: Live, error: HeronError) -> None:
        """Note why a request failed."""
        live.outcome, live.category = error.code, error.category
        self.num_failures += 1
        self.failures.append(Failure(time.time(), error.category, error.code, str(error)))

    def end(self, live: Live) -> None:
        """Note that a request ended, however it did."""
        self.live.pop(live.request.request_id, None)
        usage = replace(live.usage, completion_tokens=live.completion_tokens)
        finished = Finished(
            request=live.request,
            outcome=live.outcome,
            category=live.category,
            first_ms=live.first_ms,
            whole_ms=live.age_ms(),
            usage=usage,
            ended=time.time(),
            begin_s=live.begin_s,
            model=live.model,
        )
        self.num_ended += 1
        self.ended.append(finished)
        for observe in self._observers:
            observe(finished)

    def ended_since(self, mark: int) -> list[Finished]:
        """What ended after so many had, as far as it is kept; all of it if there never were so many."""
        return _newest(self.ended, self.num_ended - mark)

    def failures_since(self, mark: int) -> list[Failure]:
        """The errors after so many, likewise."""
        return _newest(self.failures, self.num_failures - mark)

    def revoke(self, request_id: str) -> bool:
        """Stop a request for its client; whether it ran."""
        live = self.live.get(request_id)
        if live is None or live.task is None:
            return False
        live.is_revoked = True
        live.task.cancel()
        return True


def _newest(items: "deque[_Item]", count: int) -> list[_Item]:
    """The last `count` items; all for a negative count, which is of another life of the host."""
    return list(items)[-count:] if count > 0 else [] if count == 0 else list(items)
