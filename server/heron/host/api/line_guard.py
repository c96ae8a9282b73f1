"""Ending an answer at the border of a line: on less indentation than wanted, or when its time is over."""

import time
from collections.abc import Callable
from itertools import takewhile


class LineGuard:
    """Lets text pass until a line after the first is indented by fewer than `columns` characters, or begins later than
    `limit_s` (0: any time) after the first text. `ended` tells that; what comes then is to be thrown away.

    Blank lines above the line that ended it are thrown away too. A line whose indentation is not known yet is held
    back, and so is the line break before it.
    """

    def __init__(self, columns: int, limit_s: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._columns, self._limit_s, self._clock = columns, limit_s, clock
        self._held = ""
        self._began_s: float | None = None
        self.ended = False

    def feed(self, text: str) -> str:
        """The text that may be sent now."""
        if self.ended or not text:
            return ""
        if self._began_s is None:
            self._began_s = self._clock()
        first, *later = (self._held + text).split("\n")
        known = len(later) - sum(1 for _ in takewhile(lambda line: not line.strip(), reversed(later)))
        self._held = "".join(f"\n{line}" for line in later[known:])
        passed = list(takewhile(lambda line: not self._ends_before(line), later[:known]))
        self.ended = len(passed) < known
        while self.ended and passed and not passed[-1].strip():
            passed.pop()
        return "\n".join([first, *passed])

    def finish(self) -> str:
        """What was held back, once the answer is complete."""
        held, self._held = self._held, ""
        return "" if self.ended else held

    def _ends_before(self, line: str) -> bool:
        if not line.strip():
            return False
        is_late = 0 < self._limit_s < self._clock() - (self._began_s or 0.0)
        return is_late or len(line) - len(line.lstrip()) < self._columns
