"""What the code around a cursor refers to: names, the thing before a dot, the call whose arguments are being typed."""

import re
from dataclasses import dataclass

from heron.editor.document import Document, Position
from heron.editor.syntax.languages import find_language
from heron.editor.syntax.names import read_keywords
from heron.editor.syntax.tree import Tree

REACH_LINES = 40
_NAME = re.compile(r"[^\W\d]\w+")
_COMMENT = re.compile(r"\s*(?:#|//|/?\*|--|;;)")
_RECEIVER = re.compile(r"([\w@$.]*\w)(?:\(\)|\[[^\[\]]*\])?\s*(?:\?\.|\.|->|::)\s*\w*\Z")
_CALLEE = re.compile(r"([^\W\d]\w*)\s*(?:<[^()<>]*>)?\([^()]*\Z")


@dataclass(frozen=True, slots=True)
class Scope:
    """Names used near the cursor but not on its line, nearest first; `receiver` and `callee` may be empty.

    `receiver` is what stands before the dot at the cursor, `callee` the innermost call that is open on its line.
    """

    names: tuple[str, ...]
    receiver: str
    callee: str


def read_scope(document: Document, position: Position, tree: Tree | None) -> Scope:
    """What is referred to in the definition around a position, no further than `REACH_LINES` away."""
    line = document.line(position.line)[: position.column]
    receiver, callee = _RECEIVER.search(line), _CALLEE.search(line)
    names = _near_names(document, position, _lines(document, position, tree))
    return Scope(names, receiver[1].lstrip(".") if receiver else "", callee[1] if callee else "")


def _lines(document: Document, position: Position, tree: Tree | None) -> range:
    first, last = max(0, position.line - REACH_LINES), min(document.num_lines - 1, position.line + REACH_LINES)
    around = tree.definition_at(position) if tree is not None else None
    if around is not None:
        first, last = max(first, around.start.line), min(last, around.end.line)
    return range(first, last + 1)


def _near_names(document: Document, position: Position, lines: range) -> tuple[str, ...]:
    language = find_language(document.language, document.uri)
    ignored = read_keywords(language) if language is not None else frozenset()
    found: dict[str, None] = {}
    for number in sorted(lines, key=lambda number: abs(number - position.line)):
        line = document.line(number)
        if number != position.line and not _COMMENT.match(line):
            found |= dict.fromkeys(_NAME.findall(line))
    return tuple(name for name in found if name not in ignored)
