"""One order out of several: reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from heron.editor.context.snippet import Snippet

K = 20.0
"""Less than the paper's 60: our lists have tens of entries, and their heads are what counts."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A snippet with its score and its place, from 1, in each order that has it."""

    snippet: Snippet
    score: float
    ranks: Mapping[str, int]


def fuse(orders: Mapping[str, Sequence[Snippet]], weights: Mapping[str, float]) -> list[Ranked]:
    """All snippets, best first. What several sources found at one place counts once, with the first one's text."""
    snippets: dict[tuple[Path, int], Snippet] = {}
    ranks: dict[tuple[Path, int], dict[str, int]] = defaultdict(dict)
    for name, order in orders.items():
        for rank, snippet in enumerate(order, 1):
            place = (snippet.path, snippet.start)
            snippets.setdefault(place, snippet)
            ranks[place].setdefault(name, rank)
    ranked = [Ranked(snippet, _score(ranks[place], weights), ranks[place]) for place, snippet in snippets.items()]
    return sorted(ranked, key=lambda one: (-one.score, str(one.snippet.path), one.snippet.start))


def _score(ranks: Mapping[str, int], weights: Mapping[str, float]) -> float:
    return sum(weights.get(name, 1.0) / (K + rank) for name, rank in ranks.items())
