"""LSP's positions and Heron's: the only place that knows LSP's units.

A client counts columns in UTF-8 bytes, UTF-16 units or code points, as negotiated at `initialize`; Heron counts code
points. LSP 3.18, "Position" and "PositionEncodingKind". A position inside a code point is rounded down, one past the
end of its line is clamped to it.
"""

from bisect import bisect_right

from lsprotocol import types

from heron.editor.document import Document, Position, Range

Encoding = types.PositionEncodingKind


def to_column(line: str, character: int, encoding: Encoding) -> int:
    """Code-point column of a client's `character` in the text of a line."""
    if encoding is Encoding.Utf32 or line.isascii():
        return min(character, len(line))
    return bisect_right(range(len(line) + 1), character, key=lambda column: _units(line[:column], encoding)) - 1


def to_character(line: str, column: int, encoding: Encoding) -> int:
    """A client's `character` for a code-point column in the text of a line."""
    return _units(line[:column], encoding)


def to_position(document: Document, position: types.Position, encoding: Encoding) -> Position:
    """Our position, clamped to the document."""
    if position.line >= document.num_lines:
        return document.position(len(document.text))
    return Position(position.line, to_column(document.line(position.line), position.character, encoding))


def from_position(document: Document, position: Position, encoding: Encoding) -> types.Position:
    return types.Position(position.line, to_character(document.line(position.line), position.column, encoding))


def to_range(document: Document, range_: types.Range, encoding: Encoding) -> Range:
    return Range(to_position(document, range_.start, encoding), to_position(document, range_.end, encoding))


def to_text(text: str) -> str:
    """Text without lone surrogates, which JSON can carry and UTF-8 cannot; each becomes U+FFFD, as wide in any unit."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in text)
    return text


def _units(text: str, encoding: Encoding) -> int:
    if encoding is Encoding.Utf32 or text.isascii():
        return len(text)
    if encoding is Encoding.Utf8:
        return len(text.encode())
    return len(text.encode("utf-16-le")) // 2
