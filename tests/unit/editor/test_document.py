import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.editor.document import Document, Position

TEXTS = st.text(st.sampled_from(list("ab\t é😀\u0301\n\r\v\x1c\u2028")), max_size=60)


def document(text: str) -> Document:
    return Document("file:///a", 1, "python", text)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a\n", ["a", ""]),
        ("a\r\nb\rc\nd", ["a", "b", "c", "d"]),
        ("\n\r", ["", "", ""]),
        ("a\vb\x1cc\u2028d", ["a\vb\x1cc\u2028d"]),
    ],
)
def test_lines_end_as_in_lsp_and_nowhere_else(text: str, lines: list[str]) -> None:
    found = document(text)
    assert [found.line(number) for number in range(found.num_lines)] == lines


@given(TEXTS)
def test_lines_agree_with_a_split(text: str) -> None:
    found = document(text)
    assert [found.line(number) for number in range(found.num_lines)] == re.split(r"\r\n|\n|\r", text)


@given(TEXTS, st.data())
def test_position_and_offset_are_inverse(text: str, data: st.DataObject) -> None:
    found = document(text)
    offset = data.draw(st.integers(0, len(text)))
    position = found.position(offset)
    inside_line_end = text[offset - 1 : offset + 1] == "\r\n"
    assert found.offset(position) == (offset - 1 if inside_line_end else offset)


@given(TEXTS, st.integers(-2, 70), st.integers(-2, 70))
def test_any_position_is_clamped_to_the_text(text: str, line: int, column: int) -> None:
    found = document(text)
    offset = found.offset(Position(line, column))
    assert 0 <= offset <= len(text)
    if 0 <= line < found.num_lines:
        assert found.position(offset).line == line


def test_nothing_past_the_last_line() -> None:
    assert document("a\nb").line(2) == ""
    assert document("a\nb").line(-1) == ""
    assert document("a\nb").offset(Position(9, 9)) == 3
