"""When a worker that ended is started again, and when it is given up: a circuit breaker.

A life that answered a request was worth it, and the next begins almost at once. Lives that answer none come ever later,
and after too many in a row the model is given up for a while, which doubles each time.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """So many vain lives within the window are one too many; what was given up is tried again after `retry_s`."""

    max_vain: int = 5
    window_s: float = 600.0
    first_backoff_s: float = 0.1
    longest_backoff_s: float = 5.0
    retry_s: float = 30.0
    longest_retry_s: float = 600.0


class Breaker:
    """Counts the lives of one worker."""

    def __init__(self, limits: BreakerLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._clock = limits, clock
        self._vain: deque[float] = deque()
        self._num_opened = 0
        self._retry_at = 0.0

    @property
    def num_vain(self) -> int:
        """Lives of late, in a row, that ended before they had answered anything."""
        return len(self._vain)

    @property
    def is_at_limit(self) -> bool:
        """Whether the next vain life is one too many."""
        return len(self._vain) >= self._limits.max_vain

    def note_end(self, was_fruitful: bool) -> float:
        """A life ended; the seconds to wait before the next."""
        now = self._clock()
        if was_fruitful:
            self.forgive()
            return self._limits.first_backoff_s
        self._vain.append(now)
        while now - self._vain[0] > self._limits.window_s:
            self._vain.popleft()
        return min(self._limits.first_backoff_s * 2.0 ** (len(self._vain) - 1), self._limits.longest_backoff_s)

    def forgive(self) -> None:
        """Begin to count anew: it works, or something about it was changed."""
        self._vain.clear()
        self._num_opened = 0

    @property
    def pause_s(self) -> float:
        """How long it would be given up for now."""
        return min(self._limits.retry_s * 2.0**self._num_opened, self._limits.longest_retry_s)

    def open(self) -> None:
        """Give up for a while, the next time for longer."""
        self._vain.clear()
        self._retry_at = self._clock() + self.pause_s
        self._num_opened += 1

    @property
    def may_retry(self) -> bool:
        """Whether what was given up may be tried again."""
        return self._clock() >= self._retry_at
