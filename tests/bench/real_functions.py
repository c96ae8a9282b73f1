"""Real functions in five languages: from installed packages, and from sources that npm and Debian's archive carry."""

import importlib.util
import random
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from heron.editor.document import Document
from heron.editor.syntax.signatures import Definition, read_definitions
from heron.editor.syntax.tree import parse

PACKAGES = ("httpx", "pygls", "pathspec", "rich")
NPM = {"typescript": "immer@10.1.1", "java": "react-native-fs@2.20.0"}
DEBIAN = {"go": "golang-github-spf13-pflag-dev", "rust": "librust-semver-dev"}
ENDINGS = {"python": ".py", "typescript": ".ts", "java": ".java", "go": ".go", "rust": ".rs"}
_LEAST_LINES, _MOST_LINES, _MOST_CHARACTERS = 4, 60, 120_000


@dataclass(frozen=True)
class Sample:
    """A document and the function in it that is worked on, which has no documentation."""

    language: str
    definition: Definition

    @property
    def document(self) -> Document:
        return self.definition.tree.document


def choose_samples(folder: Path, each: int) -> list[Sample]:
    """The same functions at each run, as many of each language."""
    chosen = []
    for language in ENDINGS:
        paths = source_files(language, folder)
        found = [Sample(language, item) for path in paths for item in _candidates(language, path)]
        found = [sample for sample in found if sample.definition.documentation is None]
        chosen += random.Random(7).sample(found, min(each, len(found)))
    return chosen


def _candidates(language: str, path: Path) -> Iterator[Definition]:
    text = path.read_text(encoding="utf-8", errors="replace")
    tree = parse(Document(path.as_uri(), 1, language, text)) if len(text) < _MOST_CHARACTERS else None
    for item in read_definitions(tree) if tree and not tree.has_error else ():
        lines = item.range.end.line - item.range.start.line + 1
        if item.kind == "function" and item.body is not None and _LEAST_LINES <= lines <= _MOST_LINES:
            yield item


def source_files(language: str, folder: Path) -> list[Path]:
    if language == "python":
        roots = [importlib.util.find_spec(name) for name in PACKAGES]
        places = [Path(spec.origin).parent for spec in roots if spec and spec.origin]
    else:
        places = [_fetch(language, folder / language)]
    files = [path for place in places for path in sorted(place.rglob(f"*{ENDINGS[language]}"))]
    return [path for path in files if not path.name.endswith((".d.ts", "_test.go")) and "test" not in path.parts[-2]]


def _fetch(language: str, folder: Path) -> Path:
    """Sources of a package, fetched by its registry's own client; kept from one run to the next."""
    if folder.exists():
        return folder
    folder.mkdir(parents=True)
    if name := NPM.get(language):
        subprocess.run(["npm", "pack", "--silent", name], cwd=folder, check=True, capture_output=True)
        with tarfile.open(next(folder.glob("*.tgz"))) as archive:
            archive.extractall(folder, filter="data")
    else:
        subprocess.run(["apt-get", "download", DEBIAN[language]], cwd=folder, check=True, capture_output=True)
        subprocess.run(["dpkg-deb", "-x", next(folder.glob("*.deb")), folder], check=True)
    return folder
