"""At most one request a lane: a newer one ends the older."""

import asyncio
from collections.abc import Hashable, Iterator
from contextlib import contextmanager


class Turns:
    """Who is answering in each lane: a document, or a part of what is asked of it."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[object]] = {}

    @contextmanager
    def take(self, lane: Hashable) -> Iterator[None]:
        """Hold the turn of a lane in the current task, and cancel the task that held it."""
        task = asyncio.current_task()
        assert task is not None
        if older := self._tasks.get(lane):
            older.cancel()
        self._tasks[lane] = task
        try:
            yield
        finally:
            if self.is_current(lane):
                del self._tasks[lane]

    def is_current(self, lane: Hashable) -> bool:
        """Whether the current task holds the turn; once superseded it does not."""
        return self._tasks.get(lane) is asyncio.current_task()
