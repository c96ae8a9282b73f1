"""The definition a cursor is in."""

import pytest

from heron.editor.document import Document, Position, Range
from heron.editor.features.actions.actions import Actions

CODE = "def add(a, b):\n    return a - b\n\n\ntotal = add(1, 2)\n"


@pytest.mark.parametrize(
    ("line", "column", "name"),
    [(0, 0, "add"), (1, 0, "add"), (1, 4, "add"), (1, 15, "add"), (1, 16, "add"), (3, 0, None), (4, 17, None)],
)
def test_a_cursor_behind_the_last_character_is_in_its_definition(line: int, column: int, name: str | None) -> None:
    place = Position(line, column)
    spot = Actions().spot(Document("file:///a.py", 1, "python", CODE), Range(place, place))
    assert (spot.definition.name if spot.definition else None) == name
