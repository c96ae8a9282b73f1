"""How long an answer took, as its reader saw it: part of the reply beside the usage."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from heron.wire import Delta


class Stopwatch:
    """Times one answer from when its request came."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._first = self._last = 0.0
        self._longest = 0.0
        self._num_first = self._num_tokens = 0

    async def watch(self, deltas: AsyncGenerator[Delta, None]) -> AsyncGenerator[Delta, None]:
        """The deltas, noted as they pass."""
        async with aclosing(deltas):
            async for delta in deltas:
                self._note(len(delta.token_ids))
                yield delta

    def timings(self) -> dict[str, Any]:
        """Times in milliseconds. `per_token_ms` is the mean after the first delta, `longest_gap_ms` the longest wait
        between two; both are null for an answer that came in one."""
        num_later = self._num_tokens - self._num_first
        return {
            "first_token_ms": _ms(self._first - self._began) if self._first else None,
            "per_token_ms": _ms((self._last - self._first) / num_later) if num_later else None,
            "longest_gap_ms": _ms(self._longest) if num_later else None,
            "total_ms": _ms(time.perf_counter() - self._began),
        }

    def _note(self, num_tokens: int) -> None:
        if not num_tokens:
            return
        now = time.perf_counter()
        if not self._first:
            self._first, self._num_first = now, num_tokens
        else:
            self._longest = max(self._longest, now - self._last)
        self._last = now
        self._num_tokens += num_tokens


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
