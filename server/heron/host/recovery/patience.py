"""Time limits that a sleeping machine does not use up.

After a sleep, or when a process that was stopped goes on, clocks have jumped, and whoever should have answered slept
too. So a limit counts only time that was seen to pass in small pieces.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

SLICE_S = 0.25
"""Longest piece; a longer one was slept through, and counts as no more than two."""


class Patience:
    """Runs out after so many seconds in which this process ran and nothing was heard."""

    def __init__(self, limit_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit_s, self._clock = limit_s, clock
        self._left_s = limit_s

    @property
    def spent_s(self) -> float:
        return self._limit_s - self._left_s

    def renew(self) -> None:
        """Begin anew: something was heard."""
        self._left_s = self._limit_s

    async def wait(self, *outcomes: "asyncio.Future[Any]") -> bool:
        """Whether an outcome came before the patience ran out."""
        while self._left_s > 0:
            if await self.wait_slice(*outcomes):
                return True
        return False

    async def wait_slice(self, *outcomes: "asyncio.Future[Any]") -> bool:
        """Whether an outcome came within one small piece of time."""
        before = self._clock()
        timeout_s = max(0.0, min(self._left_s, SLICE_S))
        done, _ = await asyncio.wait(outcomes, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        self.spend(min(self._clock() - before, 2 * SLICE_S))
        return bool(done)

    def spend(self, seconds: float) -> None:
        """Count time that was seen to pass elsewhere."""
        self._left_s -= seconds
