"""How many threads run a step: as many as get a core of their own.

The threads of a step wait for the slowest of them, so one that shares its core with another process holds up all; one
thread fewer is then faster. How long threads waited for a core is what the system itself counts.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_EVERY_STEPS = 4
_WINDOW_S = 0.1
"""Time in observed steps after which to judge."""
_WAITING = 0.35
"""Threads that waited for a core, on average over a window, that make one too many."""
_CROWDED_WINDOWS = 2
"""So many such windows in a row: one alone is an editor that starts, or this worker's own loading."""
_FIRST_TRIAL_S, _LAST_TRIAL_S = 5.0, 60.0
"""How long to leave a thread out before trying whether there is a core for it again; doubled when there is not."""
_TASKS = Path("/proc/self/task")


class ThreadGovernor:
    """Chooses between 1 and `most` threads, beginning with `first`."""

    def __init__(self, most: int, first: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._step_s = self._waited_s = 0.0
        self._trial_s = _FIRST_TRIAL_S
        self._next_trial_at = clock() + _FIRST_TRIAL_S
        self._is_trial = False
        self._num_crowded = self._num_steps = 0
        self.threads = max(1, min(first, most))

    @contextmanager
    def observing(self) -> Iterator[None]:
        """Watch the step of a with block, if it is one of those that are: reading the counts takes 30 µs each time."""
        self._num_steps += 1
        if self._most == 1 or self._num_steps % _EVERY_STEPS:
            yield
            return
        waited_s, began = read_waited_s(), time.perf_counter()
        yield
        self.observe(time.perf_counter() - began, max(0.0, read_waited_s() - waited_s))

    def observe(self, step_s: float, waited_s: float) -> None:
        """Take in a step and how long its threads waited for a core, in sum."""
        self._step_s += step_s
        self._waited_s += waited_s
        if self._step_s >= _WINDOW_S:
            waiting = self._waited_s / self._step_s
            self._step_s = self._waited_s = 0.0
            self._judge(waiting)

    def _judge(self, waiting: float) -> None:
        is_trial, self._is_trial = self._is_trial, False
        self._num_crowded = self._num_crowded + 1 if waiting > _WAITING else 0
        if self.threads > 1 and (self._num_crowded >= _CROWDED_WINDOWS or (is_trial and self._num_crowded)):
            self._trial_s = min(2 * self._trial_s, _LAST_TRIAL_S) if is_trial else _FIRST_TRIAL_S
            self._next_trial_at = self._clock() + self._trial_s
            self.threads = max(1, self.threads - max(1, round(waiting)))
        elif self.threads < self._most and self._clock() >= self._next_trial_at:
            self._is_trial = True
            self.threads += 1


def read_waited_s(tasks: Path = _TASKS) -> float:
    """Seconds that the threads of this process have waited for a core, in sum; 0 where the system does not tell.

    The second number of `schedstat` (Linux, Documentation/scheduler/sched-stats.rst), in nanoseconds.
    """
    total = 0
    try:
        for task in tasks.iterdir():
            total += int((task / "schedstat").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return total / 1e9
