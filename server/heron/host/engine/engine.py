"""What every engine offers the host. Implemented by `local_engine`, `scripted`, and the pool's worker connection."""

from collections.abc import AsyncGenerator
from typing import Protocol

from heron.host.engine.spans import StepSpan
from heron.wire import Delta, GenerateRequest, ModelInfo


class Engine(Protocol):
    """A loaded model that answers requests concurrently.

    Use as `async with aclosing(engine.generate(request)) as deltas`: leaving the scope aborts the sequence within
    one step and frees its pages.
    """

    @property
    def model(self) -> ModelInfo: ...

    def generate(self, request: GenerateRequest) -> AsyncGenerator[Delta, None]:
        """Deltas until one carries `finish_reason` and `usage`.

        Raises a `HeronError` (PromptTooLong, InvalidRequest, Overloaded, WorkerCrashed) before the first delta or
        between deltas. A cancelled consumer gets CancelledError untouched.
        """
        ...

    async def tokenize(self, text: str) -> list[int]:
        """Token ids of a text, special tokens not parsed."""
        ...

    async def metrics(self) -> dict[str, float]:
        """Counters and gauges since the start; names end in their unit."""
        ...

    async def steps(self, since_s: float) -> tuple[StepSpan, ...]:
        """What its steps since then were spent on, the oldest first; empty where an engine does not tell.

        In seconds of the monotonic clock. Only the last thousands are known.
        """
        ...

    async def close(self) -> None:
        """Abort what runs and free the device. Idempotent."""
        ...
