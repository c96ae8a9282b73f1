"""A completion without a model: the rest of the name being typed, where document and index leave little choice."""

import re
from collections.abc import Callable, Iterable

from heron.editor.document import Document, Position

MIN_TYPED = 3
MAX_CHOICES = 3
"""With more names to choose from in the document, only what they begin with is offered."""
_TYPED = re.compile(r"[^\W\d]\w*\Z")
_NAME = re.compile(r"[^\W\d]\w*")
_NEAR_LINES = 2000

FindNames = Callable[[str], Iterable[str]]
"""Names of the workspace that may begin with a text."""


def complete_name(document: Document, position: Position, find_names: FindNames) -> str:
    """What to insert behind the beginning of a name; empty where that is not long enough, or nothing is known.

    The nearest name of the document, else what all names of the workspace that begin so have in common.
    """
    line = document.line(position.line)
    typed = _TYPED.search(line[: position.column])
    begin = typed[0] if typed else ""
    if len(begin) < MIN_TYPED or re.match(r"\w", line[position.column :]):
        return ""
    near = _names_near(document, position, begin)
    if near:
        name = near[0] if len(near) <= MAX_CHOICES else _shared(near)
    else:
        name = _shared([name for name in find_names(begin) if name.startswith(begin)])
    return name[len(begin) :]


def _shared(names: list[str]) -> str:
    """What all names begin with: what the first and the last in order do."""
    if not names:
        return ""
    first, last = min(names), max(names)
    length = next((index for index, char in enumerate(first) if char != last[index]), len(first))
    return first[:length]


def _names_near(document: Document, position: Position, begin: str) -> list[str]:
    """The distinct names that begin so and go on, the nearest line first; those above before those below."""
    lines = document.text.splitlines()
    numbers = range(max(0, position.line - _NEAR_LINES), min(len(lines), position.line + _NEAR_LINES))
    names: dict[str, None] = {}
    for number in sorted(numbers, key=lambda number: (abs(number - position.line), number > position.line)):
        for name in _NAME.findall(lines[number]):
            if name.startswith(begin) and name != begin:
                names.setdefault(name)
    return list(names)
