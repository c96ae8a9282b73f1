"""Prefills the prompt where the cursor rests, so that the first completion there need not wait for it.

A warming is an ordinary request of one token at background priority; it stops at once when a completion is asked for.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass

from heron.editor.client.client import Infill
from heron.editor.context.build import Context
from heron.editor.features.infill import Asking, make_infill
from heron.editor.features.source import TokenSource
from heron.editor.features.warmth import Warmth
from heron.errors import HeronError
from heron.wire import Usage

logger = logging.getLogger(__name__)

LEAST_TOKENS = 64
"""Less is not worth a request of its own."""
MOST_BUSY_S = 20.0
"""Warm at most so long, over about a minute: a reader who wanders through files shall not keep the machine busy."""
_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Wish:
    """A place to warm: `build` makes its context when the time comes, `wait_ready` waits for a model."""

    build: Callable[[], Awaitable[Context]]
    wait_ready: Callable[[], Awaitable[bool]]
    delay_s: float = 0.0


class Warming:
    """At most one prompt is warmed, that of the newest wish."""

    def __init__(self, source: TokenSource, warmth: Warmth) -> None:
        self._source, self._warmth = source, warmth
        self._task: asyncio.Task[None] | None = None
        self._busy = Busy()

    def start(self, wish: Wish) -> None:
        """Warm a place instead of the one before, after its delay."""
        self.stop()
        self._task = asyncio.create_task(self._run(wish))

    def stop(self) -> None:
        """Leave the server to somebody else; what it has computed it keeps."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self, wish: Wish) -> None:
        await asyncio.sleep(wish.delay_s)
        try:
            if await wish.wait_ready() and self._busy.seconds() < MOST_BUSY_S:
                await self._warm(await wish.build())
        except HeronError as error:
            logger.debug("Warming failed: %s", error)

    async def _warm(self, context: Context) -> None:
        model = await self._source.model()
        if not model.supports_fim or self._warmth.cold_tokens(context) < LEAST_TOKENS:
            return  # foreign servers are not asked for what nobody reads
        began, usage, is_done = time.perf_counter(), None, False
        try:
            usage = await self._prefill(make_infill(model, context, Asking(1, "background")))
            is_done = True
        finally:
            took_s = time.perf_counter() - began
            self._busy.add(took_s)
            if is_done:
                self._warmth.note(context, usage, took_s)
            else:
                self._warmth.note_part(context, took_s)
            logger.debug("Warmed for %.0f ms, done=%s, %s", 1000 * took_s, is_done, usage)

    async def _prefill(self, infill: Infill) -> Usage | None:
        usage = None
        async with aclosing(self._source.complete(infill)) as deltas:
            async for delta in deltas:
                usage = delta.usage or usage
        return usage


class Busy:
    """Seconds spent, of which half are forgotten in about a minute."""

    def __init__(self) -> None:
        self._spent_s = 0.0
        self._at = time.monotonic()

    def seconds(self) -> float:
        now = time.monotonic()
        self._spent_s *= math.exp((self._at - now) / _MINUTE_S)
        self._at = now
        return self._spent_s

    def add(self, seconds: float) -> None:
        self._spent_s = self.seconds() + seconds
