"""The next completion, made while one is shown as if that were accepted; the request that follows goes on with it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from heron.editor.features.ask import Ask

AHEAD_S = 0.5
"""How long a completion stands before the next one is begun."""


class Ahead:
    """At most one completion is awaited to be accepted. `begin` asks in the background for the one after it."""

    def __init__(self, begin: Callable[[Ask], Awaitable[None]]) -> None:
        self._begin = begin
        self._task: asyncio.Task[None] | None = None

    def start(self, ask: Ask, text: str) -> None:
        """A text is shown where `ask` was asked."""
        self.stop()
        self._task = asyncio.create_task(self._run(_accepted(ask, text)))

    def stop(self) -> None:
        """Something else was typed, or the text is not shown any more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run(self, ask: Ask) -> None:
        await asyncio.sleep(AHEAD_S)
        await self._begin(ask)


def _accepted(ask: Ask, text: str) -> Ask:
    """The request that comes next if a text is accepted."""
    offset = ask.document.offset(ask.position)
    before, after = ask.document.text[:offset], ask.document.text[offset:]
    document = replace(ask.document, text=before + text + after)
    return replace(ask, document=document, position=document.position(offset + len(text)), invoked=False)
