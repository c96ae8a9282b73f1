"""One generation on its way, which outlives the request that began it if a newer one can use it."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from heron.editor.context.build import Context
from heron.editor.features.answer import Answer
from heron.editor.features.place import Place
from heron.editor.syntax.gap import unify_line_ends
from heron.wire import Delta

LINGER_S = 0.15
"""How long a generation nobody waits for goes on. Editors cancel a request when a key is pressed and ask again a
moment later; if the key is what the model was about to write, the newer request goes on with the same stream."""


class Flight:
    """Streams one generation into `answer`, in a task of its own. Ends early when the syntax says it is complete."""

    def __init__(self, place: Place, context: Context, deltas: AsyncGenerator[Delta, None]) -> None:
        self.place, self.context = place, context
        self.answer = Answer(context)
        self.first_text_at: float | None = None
        self.read_s: float | None = None
        """Seconds from the start to the first delta, when the prompt was read."""
        self.began = time.perf_counter()
        self._followers = 0
        self._closed = False
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._stream(deltas))
        self._task.add_done_callback(_retrieve_error)

    @property
    def is_done(self) -> bool:
        return self._task.done()

    def covers(self, place: Place) -> bool:
        """Whether only text was typed since the start, and it agrees with the stream as far as both go."""
        typed = place.typed_since(self.place)
        if typed is None or self._closed or (self._task.done() and _retrieve_error(self._task)):
            return False
        return _agree(self.answer.text, typed)

    async def follow(self, place: Place) -> str | None:
        """Wait for what to insert at `place`; None if that is nothing, or as soon as the stream leaves what was typed.

        Raises the error that ended the stream. When the last follower leaves, by cancellation for one, the stream
        goes on for `LINGER_S`, for another to come.
        """
        self._followers += 1
        try:
            while self.covers(place) and not self._task.done():
                self._changed.clear()
                await self._changed.wait()
        finally:
            self._followers -= 1
            asyncio.get_running_loop().call_later(LINGER_S, self._close_unless_followed)
        return self._finish(place) if self._task.done() and not self._closed else None

    def close(self) -> None:
        """End the stream; its HTTP response is closed, which frees the engine's sequence."""
        self._closed = True
        self._task.cancel()

    def _finish(self, place: Place) -> str | None:
        self._task.result()
        typed = place.typed_since(self.place)
        text = self.answer.finish()
        if typed is None or text is None or not text.startswith(typed):
            return None
        return text[len(typed) :] or None

    def _close_unless_followed(self) -> None:
        if not self._followers:
            self.close()

    async def _stream(self, deltas: AsyncGenerator[Delta, None]) -> None:
        try:
            async with aclosing(deltas):
                async for delta in deltas:
                    if self._take(delta):
                        return
        finally:
            self._changed.set()

    def _take(self, delta: Delta) -> bool:
        """Add a delta; true if nothing that may still come would be kept."""
        if self.read_s is None:
            self.read_s = time.perf_counter() - self.began
        if delta.text and self.first_text_at is None:
            self.first_text_at = time.perf_counter()
        self._changed.set()
        return self.answer.take(delta)


def _agree(streamed: str, typed: str) -> bool:
    """Whether one text begins the other. Leading white space and line ends are mended when the stream is finished."""
    one, other = unify_line_ends(streamed).lstrip(), unify_line_ends(typed).lstrip()
    return one.startswith(other) or other.startswith(one)


def _retrieve_error(task: "asyncio.Task[None]") -> BaseException | None:
    """The error that ended a task; asked for, so that one which no follower waits for is not logged as lost."""
    return asyncio.CancelledError() if task.cancelled() else task.exception()
