"""What the index answers with: plain data, paths absolute, lines from 0."""

from dataclasses import dataclass
from pathlib import Path

from heron.editor.document import Range
from heron.editor.syntax.tags import Kind


@dataclass(frozen=True, slots=True)
class Symbol:
    """A definition. `signature` is its head on one line, `container` the dotted names of what it lies in."""

    name: str
    kind: Kind
    path: Path
    range: Range
    signature: str
    container: str
    doc: str


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A file that uses a name, `count` times; `lines` are the first of them in order, each once."""

    path: Path
    count: int
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """Lines `start` to `end` (not included) of a file that are about what was searched for; more is better."""

    path: Path
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a scan is, in files; `total` is 0 while the folders are walked."""

    done: int
    total: int
