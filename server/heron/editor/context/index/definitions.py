"""Where names used in a file are defined: through its imports, then in the file and beside it, then anywhere."""

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from heron.editor.context.index import search
from heron.editor.context.index.resolve import Guess, guess_files
from heron.editor.context.index.symbol import Symbol

Imports = Sequence[tuple[str, str, str]]
"""Module, name and alias."""
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
    """Names used in the file at `path`, which is in `language`."""

    names: tuple[str, ...]
    path: str
    language: str


def find(views: Sequence[View], asked: Asked) -> tuple[Symbol, ...]:
    """Definitions, the likeliest first; several for a name if none can be told. Unsaved documents' view comes first."""
    imports = next((rows for view in views if (rows := search.imports_of_file(view.base, asked.path))), [])
    names = list(dict.fromkeys(asked.names))
    found = [symbol for name in names for symbol in _imported(views, asked, imports, name)]
    left = _without(names, found)
    found += _named_in(views, left, _near(views, asked, imports)) if left else []
    for name in _without(left, found):
        anywhere = _named_in(views, [name], None)
        found += anywhere if len(anywhere) <= MAX_ANYWHERE else []
    return tuple(dict.fromkeys(found))


def find_files(views: Sequence[View], asked: Asked, module: str, name: str) -> list[str]:
    """Files that an import in the file asked about may mean, most likely first."""
    guesses = guess_files(asked.language, asked.path, module, name)
    return list(dict.fromkeys(path for guess in guesses for path in _find_files(views, guess)))


def _imported(views: Sequence[View], asked: Asked, imports: Imports, name: str) -> list[Symbol]:
    found: list[Symbol] = []
    for module, original in _sources(imports, name):
        guesses = guess_files(asked.language, asked.path, module, original)
        paths = [path for guess in guesses for path in _find_files(views, guess)]
        found += _named_in(views, [original], paths)
    return found


def _without(names: Sequence[str], found: Sequence[Symbol]) -> list[str]:
    have = {symbol.name for symbol in found}
    return [name for name in names if name not in have]


def _sources(imports: Imports, name: str) -> list[tuple[str, str]]:
    """Module and name there, for the imports that bring a name into the file."""
    return [(module, original or name) for module, original, alias in imports if name == (alias or original)]


def _near(views: Sequence[View], asked: Asked, imports: Imports) -> list[str]:
    """The file itself, all it imports from, and what it sees without an import."""
    guesses = [guess for module, name, _ in imports for guess in guess_files(asked.language, asked.path, module, name)]
    if asked.language in _PACKAGES:
        guesses.append(Guess("folder", os.path.dirname(asked.path)))
    return [asked.path, *(path for guess in dict.fromkeys(guesses) for path in _find_files(views, guess))]


def _named_in(views: Sequence[View], names: Sequence[str], paths: Sequence[str] | None) -> list[Symbol]:
    """Symbols of these names in these files, or anywhere."""
    places = None if paths is None else list(dict.fromkeys(paths))[:MAX_FILES]
    found: list[Symbol] = []
    for view in views:
        if places is None:
            symbols = search.symbols_named(view.base, names, MAX_ANYWHERE + 1)
        else:
            symbols = search.symbols_named_in(view.base, names, places, MAX_NEAR)
        found += [symbol for symbol in symbols if str(symbol.path) not in view.hidden]
    return found


def _find_files(views: Sequence[View], guess: Guess) -> list[str]:
    if guess.kind == "file":
        return [guess.path]
    find_in = search.files_ending if guess.kind == "file_end" else search.files_in_folders_ending
    found = [path for view in views for path in find_in(view.base, guess.path)]
    return [path for path in found if guess.kind != "folder" or os.path.dirname(path) == guess.path]
