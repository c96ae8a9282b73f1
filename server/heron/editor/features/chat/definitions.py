"""Which of the symbols of a name is meant: the same spelling, the right container, sources before tests."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from heron.editor.context.index.symbol import Symbol
from heron.editor.document import Range

_SEPARATOR = re.compile(r"\.|::")
_SIDE = re.compile(r"(^|[/_.-])(tests?|testing|specs?|examples?|docs?|vendor|_vendor|benchmarks?|stubs)([/_.-]|$)")
_KINDS = ("class", "interface", "struct", "trait", "enum", "type", "function", "macro", "method", "constant", "module")


@dataclass(frozen=True, slots=True)
class Definition:
    """A symbol and how its path is shown: relative to the workspace."""

    symbol: Symbol
    shown: str


def last_part(name: str) -> str:
    """What a qualified name calls: `total` of `Cart.total`."""
    return _SEPARATOR.split(name)[-1]


@dataclass(frozen=True, slots=True)
class Hints:
    """What helps to choose between equals: the shown path of the document in front, other words of the question."""

    near: str = ""
    words: frozenset[str] = frozenset()


def choose_definitions(name: str, found: Iterable[Definition], hints: Hints | None = None) -> tuple[Definition, ...]:
    """What `name` may mean: the likeliest, and those that are as likely."""
    *containers, last = _SEPARATOR.split(name)
    same = [definition for definition in found if definition.symbol.name == last]
    if containers:
        same = [definition for definition in same if _is_in(definition, {containers[-1]})] or same
    ranked = sorted((_rank(definition, hints or Hints()), number) for number, definition in enumerate(same))
    return tuple(same[number] for rank, number in ranked if rank.weight == ranked[0][0].weight)


@dataclass(frozen=True, slots=True, order=True)
class _Rank:
    """Less is likelier. `weight` decides what is shown at all, the rest only the order."""

    weight: tuple[bool, bool, bool, int]
    depth: int
    path: str
    range: Range


def _rank(definition: Definition, hints: Hints) -> _Rank:
    symbol, shown = definition.symbol, definition.shown
    kind = _KINDS.index(symbol.kind) if symbol.kind in _KINDS else len(_KINDS)
    side = bool(_SIDE.search(shown.lower()))
    weight = (not _is_in(definition, hints.words), shown != hints.near, side, kind)
    return _Rank(weight, shown.count("/"), shown, symbol.range)


def _is_in(definition: Definition, names: Iterable[str]) -> bool:
    """Whether a symbol lies in something of one of these names, or in a file or folder that has it."""
    stem = definition.shown.rpartition(".")[0] or definition.shown
    places = {*_SEPARATOR.split(definition.symbol.container), *stem.split("/")}
    return not places.isdisjoint(names)
