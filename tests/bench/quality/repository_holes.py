"""Holes at calls to what another file of the same package defines."""

import random
import re
import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from heron.editor.context.budget import Budget
from heron.editor.context.build import build_context
from heron.editor.context.estimate import estimate_tokens
from heron.editor.context.index.resolve import Guess, guess_files
from heron.editor.document import Document, Position
from heron.editor.syntax.imports import Import, read_imports
from heron.editor.syntax.languages import find_language
from heron.editor.syntax.tags import Tag, read_calls, read_tags
from heron.editor.syntax.tree import Tree, parse
from heron.editor.workspace.uris import path_of_uri
from heron.settings import CompletionSettings

_SETTINGS = CompletionSettings()
MIN_NAME, MAX_MIDDLE = 4, 120
MIN_LINE, MAX_LINES = 10, 2_000
_TEST = re.compile(
    r"(^|/)(tests?|testing|benches|examples?|__tests__|vendor)(/|$)|(^|/)test_|[._-](test|spec|bench)\.|\.d\."
)


@dataclass(frozen=True, slots=True)
class Hole:
    """The rest of a line from the name of a call on, cut out of a file. `definition` is what the name means.

    `path` and `defined_in` are relative to the package's folder.
    """

    path: str
    language: str
    prefix: str
    middle: str
    suffix: str
    name: str
    defined_in: str
    definition: str
    is_seen: bool
    """Whether the name stands in what a prompt shows of the file itself: then the file alone may tell it."""

    def document(self, root: Path) -> Document:
        """The file as it is without what was cut out, in a workspace."""
        return Document((root / self.path).as_uri(), 1, self.language, self.prefix + self.suffix)


@dataclass(frozen=True)
class _Source:
    document: Document
    tree: Tree
    tags: tuple[Tag, ...]


Defined = Mapping[str, list[tuple[_Source, Tag]]]


def cut_holes(folder: Path, count: int, seed: int) -> list[Hole]:
    """So many holes of the sources below a folder, at most one a file, in a random order that the seed decides."""
    sources = [source for path in sorted(folder.rglob("*")) if (source := _read(path, folder)) is not None]
    defined: dict[str, list[tuple[_Source, Tag]]] = defaultdict(list)
    for source in sources:
        for tag in source.tags:
            defined[tag.name].append((source, tag))
    chance = random.Random(seed)
    found = [hole for source in sources if (hole := _cut(folder, source, defined, chance)) is not None]
    chance.shuffle(found)
    return found[:count]


def _read(path: Path, folder: Path) -> _Source | None:
    language = find_language("", path.name)
    shown = str(path.relative_to(folder))
    if language is None or not language.is_code or _TEST.search(shown) or not path.is_file():
        return None
    document = Document(path.as_uri(), 1, language.ids[0], path.read_text(encoding="utf-8", errors="replace"))
    if "\r" in document.text or document.num_lines > MAX_LINES or (tree := parse(document)) is None:
        return None
    return _Source(document, tree, read_tags(tree))


def write_workspace(folder: Path, holes: Iterable[Hole], root: Path) -> None:
    """A copy of a package without what was cut out of its files: nothing on disk tells it."""
    shutil.copytree(folder, root)
    for hole in holes:
        (root / hole.path).write_text(hole.prefix + hole.suffix, encoding="utf-8")


def _cut(folder: Path, source: _Source, defined: Defined, chance: random.Random) -> Hole | None:
    document, imports = source.document, read_imports(source.tree)
    imported = {line for one in imports for line in range(one.range.start.line, one.range.end.line + 1)}
    calls = [call for call in read_calls(source.tree) if call.range.start.line >= MIN_LINE]
    chance.shuffle(calls)
    for call in calls:
        places = defined.get(call.name, [])
        if len(places) != 1 or places[0][0] is source or not _is_telling(call.name):
            continue
        line = call.range.start.line
        middle = document.line(line)[call.range.start.column :]
        if line in imported or len(middle) > MAX_MIDDLE or _is_used_elsewhere(document, call.name, {*imported, line}):
            continue
        if _is_imported(source, imports, call.name, places[0][0]):
            return _hole(folder, document, call.range.start, middle, places[0])
    return None


def _is_telling(name: str) -> bool:
    """Not so short, and not so common that a built-in type has it too."""
    return len(name) >= MIN_NAME and not any(hasattr(kind, name) for kind in (str, bytes, list, dict, set))


def _is_imported(source: _Source, imports: Iterable[Import], name: str, other: _Source) -> bool:
    """Whether a file imports a name, or anything from the file that defines it."""
    here, there = _path(source.document), _path(other.document)
    pairs = [(one.module, part) for one in imports for part in one.names or ("",)]
    guesses = [guess for module, part in pairs for guess in guess_files(source.tree.language.name, here, module, part)]
    return any(name == part for _, part in pairs) or any(_means(guess, there) for guess in guesses)


def _means(guess: Guess, path: str) -> bool:
    place = path if guess.kind.startswith("file") else path.rpartition("/")[0]
    return place.endswith(guess.path) if guess.kind.endswith("end") else place == guess.path


def _is_used_elsewhere(document: Document, name: str, allowed: set[int]) -> bool:
    word = re.compile(rf"\b{re.escape(name)}\b")
    return any(word.search(document.line(line)) for line in range(document.num_lines) if line not in allowed)


def _hole(folder: Path, document: Document, start: Position, middle: str, place: tuple[_Source, Tag]) -> Hole:
    other, tag = place
    offset = document.offset(start)
    text = other.document.text[other.document.offset(tag.range.start) : other.document.offset(tag.range.end)]
    names = (str(Path(_path(document)).relative_to(folder)), document.language)
    parts = (document.text[:offset], middle, document.text[offset + len(middle) :])
    left = Document(document.uri, 1, document.language, parts[0] + parts[2])
    shown = build_context(left, start, None, Budget(_SETTINGS.prefix_tokens, _SETTINGS.suffix_tokens, estimate_tokens))
    is_seen = re.search(rf"\b{re.escape(tag.name)}\b", f"{shown.prefix}\n{shown.suffix}") is not None
    return Hole(*names, *parts, tag.name, str(Path(_path(other.document)).relative_to(folder)), text, is_seen)


def _path(document: Document) -> str:
    return str(path_of_uri(document.uri))
