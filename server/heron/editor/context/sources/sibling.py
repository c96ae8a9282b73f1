"""The implementation a test is about, or the tests of an implementation, found by their names."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from heron.editor.context.snippet import Snippet
from heron.editor.context.view import View

MAX_SIGNATURES = 16
MAX_FILES = 2
_TEST = re.compile(r"^(?:test[_-])?(?P<stem>.+?)(?:[._-](?:test|tests|spec)|_test|Test|Tests|Spec)?$")
_TOLD = frozenset({"function", "method", "class", "interface", "struct", "trait", "enum", "type", "macro"})


def find_sibling(view: View) -> Iterable[Snippet]:
    """Signatures of what the other file defines in public, in its order."""
    for path in _siblings(view)[:MAX_FILES]:
        symbols = [one for one in view.index.symbols_of(path) if one.kind in _TOLD and not one.name.startswith("_")]
        for one in symbols[:MAX_SIGNATURES]:
            yield Snippet("sibling", path, one.range.start.line, one.range.end.line + 1, one.signature)


def _siblings(view: View) -> list[Path]:
    """Files called like this one without the mark of a test, or with one if it has none; the nearest first."""
    stem, ending = view.path.stem, view.path.suffix
    plain = _TEST.match(stem)
    bare = plain["stem"] if plain else stem
    names = (f"{bare}{ending}",) if bare != stem else tuple(name + ending for name in _test_names(stem))
    found = [path for name in names for path in view.index.files_ending(f"/{name}") if path != view.path]
    return sorted(found, key=lambda path: -len(_shared_parts(path, view.path)))


def _test_names(stem: str) -> Iterator[str]:
    yield from (f"test_{stem}", f"{stem}_test", f"{stem}.test", f"{stem}.spec", f"{stem}Test")


def _shared_parts(one: Path, other: Path) -> set[str]:
    return set(one.parts) & set(other.parts)
