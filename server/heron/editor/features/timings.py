"""How long the stages of one completion took, for the log and for `heron complete --json`."""

import time
from dataclasses import dataclass, field
from typing import Literal

from heron.wire import Usage

Outcome = Literal[
    "shown", "typed_through", "without_model", "silent", "not_ready", "stale", "superseded", "cancelled", "failed"
]


@dataclass(slots=True)
class Timings:
    """Filled while a request runs. Stage times are in milliseconds and add up to `total_ms`.

    `first_token_ms` counts from the start of the request and is None without the model; so is `usage` where the
    stream was ended before the server told it. `adopted`: the request went on with an older one's stream.
    `window`: how much was asked with, "short" at a place the server had not read yet; empty without the model.
    `chance`: how likely the offer is right, 0 to 1, as far as that is known.
    """

    version: int = 0
    outcome: Outcome = "silent"
    reason: str = ""
    adopted: bool = False
    window: Literal["full", "short", ""] = ""
    stages_ms: dict[str, float] = field(default_factory=dict)
    first_token_ms: float | None = None
    total_ms: float = 0.0
    usage: Usage | None = None
    chance: float | None = None
    _began: float = field(default_factory=time.perf_counter, repr=False)

    def mark(self, stage: str) -> None:
        """End a stage that began when the one before ended."""
        now = (time.perf_counter() - self._began) * 1000
        self.stages_ms[stage] = self.stages_ms.get(stage, 0.0) + now - self.total_ms
        self.total_ms = now

    def mark_first_token(self, at: float | None) -> None:
        """Note when the first text came, by the clock of `time.perf_counter`."""
        if at is not None:
            self.first_token_ms = max(0.0, (at - self._began) * 1000)
