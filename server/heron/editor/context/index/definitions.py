"""Where names used in a file are defined: through its imports, then in the file and beside it, then anywhere."""

import os
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from heron.editor.context.index import search
from heron.editor.context.index.resolve import Guess, guess_files
from heron.editor.context.index.symbol import Symbol

Imports = Sequence[tuple[str, str, str]]
"""Module, name and alias."""
MAX_IMPORTS = 100
MAX_FILES = 200
MAX_NEAR = 1_000
MAX_ANYWHERE = 4
"""A name defined in more places than these, and imported from none of them, says little."""
_PACKAGES = frozenset({"go", "java", "csharp"})
"""Languages in which the files of a folder see each other without an import."""


@dataclass(frozen=True, slots=True)
class View:
    """A database, and the paths of which another knows better."""

    base: sqlite3.Connection
    hidden: frozenset[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """Names used in the file at `path`, which is in `language`. After `most` definitions no others are looked for."""

    names: tuple[str, ...]
    path: str
    language: str
    most: int


def find(views: Sequence[View], asked: Asked) -> tuple[Symbol, ...]:
    """Definitions, the likeliest first; several for a name if none can be told. Unsaved documents' view comes first."""
    imports = next((rows for view in views if (rows := search.imports_of_file(view.base, asked.path))), [])
    places = _Places(views, asked)
    names = list(dict.fromkeys(asked.names))
    found = _imported(places, imports, names, asked.most)
    left = _without(names, found) if len(found) < asked.most else []
    found += _named_in(views, left, places.near(imports)) if left else []
    for name in _without(left, found):
        anywhere = _named_in(views, [name], None)
        found += anywhere if len(anywhere) <= MAX_ANYWHERE else []
    return tuple(dict.fromkeys(found))


def find_files(views: Sequence[View], asked: Asked, module: str, name: str) -> list[str]:
    """Files that an import in the file asked about may mean, most likely first."""
    return _Places(views, asked).of_import(module, name)


class _Places:
    """Where the imports of one file lead, each looked up once."""

    def __init__(self, views: Sequence[View], asked: Asked) -> None:
        self.views, self._asked = views, asked
        self._known: dict[Guess, list[str]] = {}

    def of_import(self, module: str, name: str) -> list[str]:
        return self._of(guess_files(self._asked.language, self._asked.path, module, name))

    def near(self, imports: Imports) -> list[str]:
        """The file itself, what it imports from, and what it sees without an import."""
        asked = self._asked
        told = list(dict.fromkeys((module, name) for module, name, _ in imports))[:MAX_IMPORTS]
        guesses = [guess for module, name in told for guess in guess_files(asked.language, asked.path, module, name)]
        if asked.language in _PACKAGES:
            guesses.append(Guess("folder", os.path.dirname(asked.path)))
        return [asked.path, *self._of(guesses)]

    def _of(self, guesses: Iterable[Guess]) -> list[str]:
        return list(dict.fromkeys(path for guess in guesses for path in self._look_up(guess)))

    def _look_up(self, guess: Guess) -> list[str]:
        found = self._known.get(guess)
        if found is None:
            found = self._known[guess] = _find_files(self.views, guess)
        return found


def _imported(places: _Places, imports: Imports, names: Sequence[str], most: int) -> list[Symbol]:
    """What the names mean that are imported, in their order. A module is looked into once for all its names."""
    by_module: dict[str, list[str]] = {}
    sources = _sources(imports)
    for name in names:
        for module, original in sources.get(name, ()):
            by_module.setdefault(module, []).append(original)
    found: list[Symbol] = []
    for module, originals in by_module.items():
        if len(found) < most:
            paths = dict.fromkeys(path for original in originals for path in places.of_import(module, original))
            found += _named_in(places.views, originals, list(paths))
    order = {original: number for number, name in enumerate(names) for _, original in sources.get(name, ())}
    return sorted(found, key=lambda symbol: order[symbol.name])


def _without(names: Sequence[str], found: Sequence[Symbol]) -> list[str]:
    have = {symbol.name for symbol in found}
    return [name for name in names if name not in have]


def _sources(imports: Imports) -> dict[str, list[tuple[str, str]]]:
    """By the name an import brings into the file, its module and its name there."""
    sources: dict[str, list[tuple[str, str]]] = {}
    for module, original, alias in imports:
        name = alias or original
        sources.setdefault(name, []).append((module, original or name))
    return sources


def _named_in(views: Sequence[View], names: Sequence[str], paths: Sequence[str] | None) -> list[Symbol]:
    """Symbols of these names in these files, or anywhere."""
    if paths is not None and not paths:
        return []
    found: list[Symbol] = []
    for view in views:
        if paths is None:
            symbols = search.symbols_named(view.base, names, MAX_ANYWHERE + 1)
        else:
            symbols = search.symbols_named_in(view.base, names, paths[:MAX_FILES], MAX_NEAR)
        found += [symbol for symbol in symbols if str(symbol.path) not in view.hidden]
    return found


def _find_files(views: Sequence[View], guess: Guess) -> list[str]:
    if guess.kind == "file":
        return [guess.path]
    find_in = search.files_ending if guess.kind == "file_end" else search.files_in_folders_ending
    found = [path for view in views for path in find_in(view.base, guess.path)]
    return [path for path in found if guess.kind != "folder" or os.path.dirname(path) == guess.path]
