"""Which symbol a query means: how well the name fits, then what kind of thing it is and where it lies."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from heron.editor.context.index.words import split_name

_KIND_SCORES = {
    **{"class": 6, "interface": 6, "struct": 6, "trait": 6, "enum": 5, "type": 5, "function": 5, "macro": 4},
    **{"method": 4, "module": 3, "constant": 3, "variable": 2, "field": 1, "section": 0},
}
_TEST = re.compile(r"/(?:tests?|spec|__tests__)/|/test_[^/]*$|[._]test\.|\.spec\.")
MIN_SCORE = 27.0


class Named(Protocol):
    """What can be ranked: a symbol, or what is known of it before all of it is read."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def path(self) -> str | Path: ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """A symbol that may be meant, by its row."""

    id: int
    name: str
    kind: str
    path: str


One = TypeVar("One", bound=Named)


def rank(query: str, candidates: Iterable[One], limit: int) -> list[One]:
    """The best candidates, best first."""
    scored = [(score(query, one), one) for one in candidates]
    kept = [pair for pair in scored if pair[0] >= MIN_SCORE]
    kept.sort(key=lambda pair: (-pair[0], len(pair[1].name), str(pair[1].path)))
    return [one for _, one in kept[:limit]]


def score(query: str, one: Named) -> float:
    """How well a symbol fits; the name decides, the rest only between equals."""
    lesser = _KIND_SCORES.get(one.kind, 0) - (3 if _TEST.search(str(one.path)) else 0)
    return fit(query, one.name) + lesser / 10


def fit(query: str, name: str) -> float:
    """From 100, the same name, to 0, nothing in common."""
    wanted, lowered = query.lower(), name.lower()
    if query == name:
        return 100.0
    if wanted == lowered:
        return 95.0
    spare = min(len(name) - len(query), 30) / 3
    if lowered.startswith(wanted):
        return 90.0 - spare
    parts = split_name(name)
    if _begin_parts(split_name(query) or (wanted,), parts) or wanted == "".join(part[0] for part in parts):
        return 75.0 - spare
    if wanted in lowered:
        return 60.0 - spare
    return 50.0 * likeness(wanted, lowered) if len(wanted) > 2 else 0.0


def likeness(one: str, other: str) -> float:
    """Share of trigrams in common, from 0 to 1 (Dice's coefficient)."""
    left, right = _grams(one), _grams(other)
    return 2 * len(left & right) / (len(left) + len(right))


def _grams(text: str) -> set[str]:
    padded = f" {text} "
    return {padded[at : at + 3] for at in range(len(padded) - 2)}


def _begin_parts(wanted: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    """Whether each wanted part begins a part of the name, in order."""
    rest = iter(parts)
    return all(any(part.startswith(begin) for part in rest) for begin in wanted)
