"""Which files matter to the one in front: personalised PageRank over who imports from whom.

Page, Brin, Motwani and Winograd 1999; Haveliwala 2002. rustworkx is imported when the first graph is made, in a thread.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from heron.editor.context.index.index import Index

REMAKE_S = 60.0
"""How often a graph is made anew at most while files change."""
DAMPING = 0.85
TOLERANCE = 1e-5
MAX_NODES = 400
"""A whole workspace of a million lines holds up all threads for 25 ms."""
EDGES_AT_ONCE = 2_000
BACKWARD = 0.3
"""Who is imported matters to who imports; the other way round less."""


class Graph:
    """Made and asked in the background; answers are what is known by now."""

    def __init__(self, index: Index, executor: Executor) -> None:
        self.index, self._executor = index, executor
        self._lock = threading.Lock()
        self._made: _Made | None = None
        self._known: dict[Path, Mapping[str, float]] = {}
        self._asked: set[Path] = set()

    def ranks(self, path: Path) -> Mapping[str, float]:
        """How much each file matters to one, by path; empty until `prepare` has computed it."""
        return self._known.get(path, {})

    def prepare(self, path: Path) -> None:
        """Compute the ranks for a file in a thread, unless they are there."""
        if (path not in self._known or self._is_stale()) and path not in self._asked:
            self._asked.add(path)
            self._executor.submit(self._compute, path)

    def _is_stale(self) -> bool:
        made = self._made
        return made is not None and made.revision != self.index.revision and made.age_s > REMAKE_S

    def _compute(self, path: Path) -> None:
        try:
            with self._lock:
                if self._made is None or self._is_stale():
                    self._made = _Made(self.index)
                    self._known.clear()
                self._known[path] = self._made.rank(str(path))
        finally:
            self._asked.discard(path)


class _Made:
    """A graph of one state of the index."""

    def __init__(self, index: Index) -> None:
        import rustworkx

        self.revision = index.revision
        self._at = time.monotonic()
        links = index.links()
        self._paths = sorted({path for link in links for path in link[:2]})
        self._numbers = {path: number for number, path in enumerate(self._paths)}
        self._graph: Any = rustworkx.PyDiGraph()
        self._graph.add_nodes_from(self._paths)
        edges = [(self._numbers[a], self._numbers[b], math.sqrt(count)) for a, b, count in links]
        edges += [(b, a, BACKWARD * weight) for a, b, weight in edges]
        for start in range(0, len(edges), EDGES_AT_ONCE):  # rustworkx lets no other thread run meanwhile
            self._graph.add_edges_from(edges[start : start + EDGES_AT_ONCE])

    @property
    def age_s(self) -> float:
        return time.monotonic() - self._at

    def rank(self, path: str) -> Mapping[str, float]:
        """Ranks of the files around one as seen from it; empty for one that nothing is known of."""
        import rustworkx

        own = self._numbers.get(path)
        if own is None:
            return {}
        graph = self._graph.subgraph(self._around(own))
        paths: list[str] = graph.nodes()
        ranks = rustworkx.pagerank(
            graph, alpha=DAMPING, weight_fn=float, personalization={paths.index(path): 1.0}, tol=TOLERANCE
        )
        return {paths[number]: rank for number, rank in ranks.items() if rank > 0}

    def _around(self, own: int) -> list[int]:
        """The nearest nodes in either direction, at most `MAX_NODES`: what is far away has next to no rank."""
        found = {own: None}
        waiting = deque([own])
        while waiting and len(found) < MAX_NODES:
            beside = sorted(self._graph.neighbors_undirected(waiting.popleft()))
            new = [one for one in beside if one not in found][: MAX_NODES - len(found)]
            found |= dict.fromkeys(new)
            waiting.extend(new)
        return list(found)
