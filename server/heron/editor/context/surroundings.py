"""What prompts show of other files: looked for ahead of the answer, and left as it is while a line is typed."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from heron.editor.context.assemble import Beyond, assemble, sources
from heron.editor.context.choose import Allowance
from heron.editor.context.gather import LIMIT_S, Gatherer
from heron.editor.context.graph import Graph
from heron.editor.context.index.index import Index
from heron.editor.context.layout import can_comment
from heron.editor.context.scope import read_scope
from heron.editor.context.view import Scenery, Spot, View
from heron.editor.syntax.languages import find_language
from heron.editor.workspace.uris import path_of_uri

THREADS = 4
QUIET_S = 0.03
PATIENT_S = 2.0
"""How long someone who asks for an explanation waits."""


@dataclass(frozen=True, slots=True)
class _Key:
    """While these are the same, what is shown stays the same: all but the line being typed, and what it is about."""

    line_start: int
    rest: int
    receiver: str
    callee: str
    revision: int
    tokens: int


@dataclass(frozen=True, slots=True)
class _Kept:
    key: _Key
    beyond: Beyond


class Surroundings:
    """What is shown for each open document. Calls come from the event loop; sources run in threads."""

    def __init__(self, look: Callable[[], Scenery | None]) -> None:
        self._look = look
        self._executor = ThreadPoolExecutor(THREADS, "heron-context")
        self._graph: Graph | None = None
        self._later: asyncio.TimerHandle | None = None
        self._gatherers: dict[str, Gatherer] = {}
        self._kept: dict[str, _Kept] = {}
        self._running: dict[str, tuple[_Key, asyncio.Task[Beyond]]] = {}

    async def find(self, spot: Spot, allowance: Allowance) -> None:
        """Have `ready` know what to show at a cursor, within `LIMIT_S`; at once if it was looked for ahead."""
        task = self._begin(spot, allowance)
        if task is not None:
            await asyncio.shield(task)

    def ready(self, spot: Spot, allowance: Allowance) -> Beyond:
        """What is known by now of what to show at a cursor."""
        view = self._view(spot) if allowance.tokens > 0 else None
        kept = self._kept.get(spot.document.uri)
        return kept.beyond if view and kept and kept.key == _key(view, allowance) else Beyond()

    async def explain(self, spot: Spot, allowance: Allowance) -> Beyond:
        """The same, however long the sources take, within `PATIENT_S`."""
        view = self._view(spot) if allowance.tokens > 0 else None
        return Beyond() if view is None else await self._choose(_key(view, allowance), view, allowance, PATIENT_S)

    def forget(self, uri: str) -> None:
        """Drop what is kept of a document that was closed."""
        self._gatherers.pop(uri, None)
        self._kept.pop(uri, None)
        if running := self._running.pop(uri, None):
            running[1].cancel()

    def close(self) -> None:
        for _, task in self._running.values():
            task.cancel()
        if self._later is not None:
            self._later.cancel()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _view(self, spot: Spot) -> View | None:
        """None for a document outside the workspace, a private one, or one whose language has no comments."""
        scenery, path = self._look(), path_of_uri(spot.document.uri)
        if scenery is None or path is None or scenery.index.workspace.is_private(path):
            return None
        if not can_comment(find_language(spot.document.language, spot.document.uri)):
            return None
        scope = read_scope(spot.document, spot.position, spot.tree)
        return View(spot, path, scope, scenery, self._graph_of(scenery.index).ranks(path))

    def _graph_of(self, index: Index) -> Graph:
        if self._graph is None or self._graph.index is not index:
            self._graph = Graph(index, self._executor)
        return self._graph

    def _begin(self, spot: Spot, allowance: Allowance) -> "asyncio.Task[Beyond] | None":
        """The search for what to show: the one that runs or a new one; None if there is nothing to look for."""
        view = self._view(spot) if allowance.tokens > 0 else None
        if view is None:
            return None
        key, uri = _key(view, allowance), spot.document.uri
        kept, running = self._kept.get(uri), self._running.get(uri)
        if kept is not None and kept.key == key and not kept.beyond.is_partial:
            return None
        if running is not None and running[0] == key and not running[1].done():
            return running[1]
        task = asyncio.create_task(self._choose(key, view, allowance, LIMIT_S))
        self._running[uri] = key, task
        return task

    async def _choose(self, key: _Key, view: View, allowance: Allowance, limit_s: float) -> Beyond:
        gatherer = self._gatherers.setdefault(view.document.uri, Gatherer(sources(), self._executor))
        gathered = await gatherer.gather(view, limit_s)
        beyond = assemble(view, gathered, allowance)
        self._kept[view.document.uri] = _Kept(key, beyond)
        self._prepare_later(view)
        return beyond

    def _prepare_later(self, view: View) -> None:
        """Have files ranked when nobody waits any more: it keeps all threads waiting."""
        if self._later is not None:
            self._later.cancel()
        prepare = self._graph_of(view.index).prepare
        self._later = asyncio.get_running_loop().call_later(QUIET_S, prepare, view.path)


def _key(view: View, allowance: Allowance) -> _Key:
    document, scope = view.document, view.scope
    start = document.line_starts[view.position.line]
    rest = len(document.text) - len(document.line(view.position.line))
    return _Key(start, rest, scope.receiver, scope.callee, view.index.revision, allowance.tokens)
