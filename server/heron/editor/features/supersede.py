"""At most one request a document: a newer one ends the older."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Who is answering for each document."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[object]] = {}

    @contextmanager
    def take(self, uri: str) -> Iterator[None]:
        """Hold the turn of a document in the current task, and cancel the task that held it."""
        task = asyncio.current_task()
        assert task is not None
        if older := self._tasks.get(uri):
            older.cancel()
        self._tasks[uri] = task
        try:
            yield
        finally:
            if self.is_current(uri):
                del self._tasks[uri]

    def is_current(self, uri: str) -> bool:
        """Whether the current task holds the turn; once superseded it does not."""
        return self._tasks.get(uri) is asyncio.current_task()
