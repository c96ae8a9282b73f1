import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol.types import Position as LspPosition
from lsprotocol.types import PositionEncodingKind as Encoding

from heron.editor.document import Document, Position
from heron.editor.lsp.convert import from_position, to_character, to_column, to_position, to_text

ENCODINGS = st.sampled_from(list(Encoding))
LINES = st.text(st.sampled_from(list("ab \té☃😀👩🏽\u0301\u200d")), max_size=40)
WIDTHS = {Encoding.Utf8: "utf-8", Encoding.Utf16: "utf-16-le", Encoding.Utf32: "utf-32-le"}
UNITS = {Encoding.Utf8: 1, Encoding.Utf16: 2, Encoding.Utf32: 4}


def width(text: str, encoding: Encoding) -> int:
    """A naive count of units, one character after the other."""
    return sum(len(character.encode(WIDTHS[encoding])) // UNITS[encoding] for character in text)


@pytest.mark.parametrize(
    ("encoding", "characters"),
    [(Encoding.Utf8, [0, 1, 3, 7, 8]), (Encoding.Utf16, [0, 1, 2, 4, 5]), (Encoding.Utf32, [0, 1, 2, 3, 4])],
)
def test_columns_of_a_line_with_an_emoji(encoding: Encoding, characters: list[int]) -> None:
    line = "aé😀b"
    assert [to_character(line, column, encoding) for column in range(5)] == characters
    assert [to_column(line, character, encoding) for character in characters] == [0, 1, 2, 3, 4]


@given(LINES, ENCODINGS, st.integers(0, 200))
def test_a_column_is_the_last_that_begins_at_or_before_the_character(
    line: str, encoding: Encoding, character: int
) -> None:
    expected = max(column for column in range(len(line) + 1) if width(line[:column], encoding) <= character)
    assert to_column(line, character, encoding) == expected


@given(LINES, ENCODINGS, st.data())
def test_there_and_back(line: str, encoding: Encoding, data: st.DataObject) -> None:
    column = data.draw(st.integers(0, len(line)))
    assert to_character(line, column, encoding) == width(line[:column], encoding)
    assert to_column(line, to_character(line, column, encoding), encoding) == column


@given(st.lists(LINES, max_size=4), st.sampled_from(["\n", "\r\n", "\r"]), ENCODINGS, st.data())
def test_positions_of_a_document_there_and_back(
    lines: list[str], line_end: str, encoding: Encoding, data: st.DataObject
) -> None:
    document = Document("file:///a", 1, "python", line_end.join(lines))
    line = data.draw(st.integers(0, document.num_lines - 1))
    position = Position(line, data.draw(st.integers(0, len(document.line(line)))))
    assert to_position(document, from_position(document, position, encoding), encoding) == position


def test_a_position_past_the_end_is_clamped() -> None:
    document = Document("file:///a", 1, "python", "ab\r\ncd")
    assert to_position(document, LspPosition(0, 99), Encoding.Utf16) == Position(0, 2)
    assert to_position(document, LspPosition(99, 0), Encoding.Utf16) == Position(1, 2)


@given(st.text(st.sampled_from(list("aé😀\ud83d\ude00\udfff")), max_size=20), ENCODINGS)
def test_lone_surrogates_are_replaced_by_characters_as_wide(text: str, encoding: Encoding) -> None:
    clean = to_text(text)
    clean.encode()
    lone = sum("\ud800" <= character <= "\udfff" for character in text)
    assert clean.count("\ufffd") == lone
    assert len(clean) == len(text)
    assert to_character(clean, len(clean), Encoding.Utf16) == len(text.encode("utf-16-le", "surrogatepass")) // 2
