"""The imports of a document that is too long for a prompt: what may be used in it, in a few lines."""

from collections.abc import Callable, Sequence

from heron.editor.document import Position, Range
from heron.editor.syntax.imports import read_imports
from heron.editor.syntax.tree import Tree

MAX_LINES = 400
"""Imports stand near the top; a whole document would take too long at each key."""
MAX_LINE_CHARACTERS = 400


def import_lines(tree: Tree, before: int) -> tuple[str, ...]:
    """The import statements above an offset, each on one line, in order."""
    document = tree.document
    found: dict[str, None] = {}
    for one in read_imports(tree, Range(Position(0, 0), Position(MAX_LINES, 0))):
        end = document.offset(one.range.end)
        text = " ".join(document.text[document.offset(one.range.start) : end].split())
        if end < before and len(text) <= MAX_LINE_CHARACTERS:
            found[text] = None
    return tuple(found)


def keep_last(lines: Sequence[str], tokens: int, count: Callable[[str], int]) -> str:
    """The last lines that fit, each with its line end: what is the project's own is imported last by custom."""
    kept: list[str] = []
    for line in reversed(lines):
        tokens -= count(line) + 1
        if tokens < 0:
            break
        kept.append(f"{line}\n")
    return "".join(reversed(kept))
