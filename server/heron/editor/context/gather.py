"""Asking all sources at once, and taking what they have when the time is up."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from heron.editor.context.snippet import Snippet, SourceName
from heron.editor.context.sources.source import Source
from heron.editor.context.view import View

logger = logging.getLogger(__name__)

LIMIT_S = 0.006
"""How long a source may take: no answer waits longer for all of them together. 4 ms are left to lay out what came."""
ESSENTIAL: frozenset[SourceName] = frozenset({"members", "definitions"})
"""Sources worth another look while a line is typed: a change there costs the server's reading it anew."""
Snippets = tuple[Snippet, ...]


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the sources found; `late` are those that had not answered, for which an older answer may stand."""

    found: Mapping[SourceName, Sequence[Snippet]]
    late: frozenset[SourceName]


class Gatherer:
    """Asks the sources for one document, one after the other in a thread: together they would only wait for another."""

    def __init__(self, sources: Mapping[SourceName, Source], executor: Executor) -> None:
        self._sources, self._executor = sources, executor
        self._lane = _Lane(())
        self._latest: dict[SourceName, Snippets] = {}

    async def gather(self, view: View, limit_s: float = LIMIT_S) -> Gathered:
        """Never takes longer than `limit_s`. What comes later stands in when the same source is late once more.

        A source that is still busy with an older question is left out, and holds up no other one again.
        """
        lane = _Lane(tuple(name for name in self._sources if name != self._lane.current))
        self._lane = lane
        ended = asyncio.get_running_loop().run_in_executor(self._executor, self._run, lane, view)
        await asyncio.wait({ended}, timeout=limit_s)
        found = {name: self._latest[name] for name in self._sources if name in self._latest}
        return Gathered(found, frozenset(self._sources.keys() - lane.answered))

    def _run(self, lane: "_Lane", view: View) -> None:
        """In a thread. Ends early once there is a newer question."""
        for name in lane.names:
            if lane is not self._lane:
                break
            lane.current = name
            self._latest[name] = _ask(name, self._sources[name], view)
            lane.answered.add(name)
        lane.current = None


class _Lane:
    """One question on its way through the sources."""

    def __init__(self, names: tuple[SourceName, ...]) -> None:
        self.names = names
        self.answered: set[SourceName] = set()
        self.current: SourceName | None = None


def _ask(name: SourceName, source: Source, view: View) -> Snippets:
    """What a source finds; a fault of its own costs its snippets and no more."""
    try:
        return tuple(source(view))
    except Exception:
        logger.exception("The source of snippets %s failed", name)
        return ()
