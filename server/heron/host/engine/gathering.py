"""Writing once a turn of the event loop: each write of its own wakes the reader's process, which costs both more."""

import asyncio
from collections.abc import Callable


class GatheredWrites:
    """Joins what is written within one turn, and gives it to `write` at its end. Used from one event loop only."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._held: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Hold the data until the turn ends."""
        if not self._held:
            asyncio.get_running_loop().call_soon(self.flush)
        self._held.append(data)

    def flush(self) -> None:
        """Write what is held, now."""
        held, self._held = self._held, []
        if held:
            self._write(b"".join(held))

    def drop(self) -> None:
        """Forget what is held."""
        self._held = []
