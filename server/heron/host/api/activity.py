"""How long nobody has asked for anything."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Activity:
    """Counts the requests in flight and remembers when the last one ended. Used from one event loop only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._in_flight = 0
        self._last_end_s = clock()

    @contextmanager
    def request(self) -> Iterator[None]:
        """Count a request as active for the length of a with block."""
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1
            self.touch()

    def touch(self) -> None:
        """Begin the idle time anew."""
        self._last_end_s = self._clock()

    def idle_s(self) -> float:
        """Seconds since the last request ended; 0 while one is in flight."""
        return 0.0 if self._in_flight else self._clock() - self._last_end_s
