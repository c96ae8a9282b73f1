"""Places in real sources of eleven languages, from packages of pip, npm and Debian: where offers have to fit."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.quality.packages import Package, unpack
from heron.editor.document import Document
from heron.editor.syntax.languages import load_languages
from heron.editor.syntax.tree import parse

PLACES_PER_FILE = 12

PACKAGES: Mapping[str, Package] = {
    "python": Package("pip", "trio", "0.30.0"),
    "typescript": Package("npm", "@reduxjs/toolkit", "2.8.2", "package/src"),
    "go": Package("deb", "golang-github-hashicorp-hcl-v2-dev", "2.14.1-2", "usr/share/gocode/src"),
    "rust": Package("deb", "librust-hyper-dev", "0.14.19-1", "usr/share/cargo/registry"),
    "java": Package("npm", "react-native-svg", "13.9.0", "package/android/src"),
    "javascript": Package("npm", "mqtt", "4.3.8", "package/lib"),
    "c": Package("npm", "tree-sitter", "0.21.1", "package/vendor"),
    "cpp": Package("npm", "leveldown", "6.1.1", "package/deps/leveldb"),
    "ruby": Package("deb", "ruby-rack", "2.2.22-0+deb12u2", "usr"),
    "php": Package("deb", "php-twig", "3.5.1-1+deb12u3", "usr"),
    "lua": Package("deb", "lua-penlight", "1.13.1-3", "usr"),
}
_MOST_CHARACTERS = 60_000
_TESTS = ("tests", "test", "__tests__", "_tests")


@dataclass(frozen=True, slots=True)
class Place:
    """A file with a piece, `cut`, cut out at `offset`; `name` is the same at each run."""

    name: str
    language: str
    text: str
    offset: int
    cut: str


def make_places(folder: Path, count: int, seed: int) -> list[list[Place]]:
    """Places file by file in any order, as many of each language if it has them, top to bottom within a file."""
    chance = random.Random(seed)
    files: list[list[Place]] = []
    for language in PACKAGES:
        paths = source_files(language, folder)
        chance.shuffle(paths)
        wanted = count // len(PACKAGES)
        for path in paths:
            places = [*_cut_file(language, path, chance)][:wanted]
            wanted -= len(places)
            files += [places] if places else []
            if not wanted:
                break
    chance.shuffle(files)  # so that a run that is cut short has of all languages
    return files


def _cut_file(language: str, path: Path, chance: random.Random) -> Iterator[Place]:
    text = path.read_text(encoding="utf-8", errors="replace")
    document = Document(path.as_uri(), 1, language, text)
    tree = parse(document) if len(text) <= _MOST_CHARACTERS else None
    lines = text.split("\n")
    if tree is None or tree.has_error or len(lines) < 4 * PLACES_PER_FILE:
        return
    for number in sorted(chance.sample(range(len(lines) - 6), PLACES_PER_FILE)):
        if lines[number].strip():
            yield _cut(Place(f"{path.name}:{number}", language, "", 0, ""), lines, number, chance)


def _cut(place: Place, lines: list[str], number: int, chance: random.Random) -> Place:
    """Cut the rest of a line, a line, or up to four lines; the indentation stays, as an editor would put it."""
    line = lines[number]
    indent = len(line) - len(line.lstrip())
    kind = chance.choice(("rest", "line", "lines"))
    column = chance.randint(indent + 1, len(line)) if kind == "rest" else indent
    last = number + (chance.randint(1, 3) if kind == "lines" else 0)
    before = "".join(f"{above}\n" for above in lines[:number]) + line[:column]
    after = "".join(f"\n{below}" for below in lines[last + 1 :])
    cut = "\n".join([line[column:], *lines[number + 1 : last + 1]])
    return Place(f"{place.name}:{kind}", place.language, before + after, len(before), cut)


def source_files(language: str, folder: Path) -> list[Path]:
    """A language's files, without tests and declarations, in an order that stays; fetched once."""
    folder.mkdir(parents=True, exist_ok=True)
    root = unpack(PACKAGES[language], folder)
    ending = load_languages()[language].extensions[0]
    files = [path for path in sorted(root.rglob(f"*{ending}")) if path.is_file()]
    return [
        path
        for path in files
        if not path.name.endswith((".d.ts", "_test.go", "_test.cc")) and not {*path.parts} & {*_TESTS}
    ]
