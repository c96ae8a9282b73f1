"""A block ends where the syntax says so: at a dedent, after its closing word, after a finished definition."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from heron.editor.postprocess.missing_names import definition_below, missing_names
from heron.editor.syntax.gap import Gap, indent_of, width_of
from heron.editor.syntax.lexical import read_text

MAX_LINES = 12
_DEFINITION = re.compile(r"(?:async\s+)?def\b")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a completion: its number, offset, code without indentation, indentation width, blank lines before."""

    number: int
    offset: int
    code: str
    width: int
    num_blank: int


def cut_block_end(text: str, gap: Gap) -> str:
    """Cut before the first line that is no part of the cursor's block, or after the line that closes the block."""
    if gap.shape != "block":
        return text
    lines = list(_lines(text, gap))
    floor = _floor(lines, gap)
    limit = MAX_LINES + text.startswith("\n")
    above: _Line | None = None
    for line in lines:
        if line.number >= limit or line.num_blank > 1 or _begins_group(line, above, floor, gap):
            return text[: line.offset].rstrip("\n")
        if line.width < floor and line.offset and not _is_directive(line, gap):
            floor = _outer_floor(text[: line.offset], floor, gap)
            if line.width < floor and not _belongs(line, floor, gap):
                return text[: line.offset].rstrip("\n")
            if _closes_block(text, line, gap):
                return text[: line.offset] + text[line.offset :].split("\n", 1)[0]
        above = line
    return text


def _lines(text: str, gap: Gap) -> Iterator[_Line]:
    """Lines with code; those that begin inside a string or comment of the completion are left out."""
    reading = read_text(text, gap.language, gap.quote)
    offset = num_blank = 0
    for number, line in enumerate(text.split("\n")):
        whole = line if number else gap.line_prefix + line
        is_plain = offset > 0 and reading.is_plain(offset) and reading.is_plain(offset - 1)
        if line.strip() and not is_plain:
            yield _Line(number, offset, line.strip(), width_of(indent_of(whole)), num_blank)
        num_blank = 0 if line.strip() else num_blank + (number > 0)
        offset += len(line) + 1


def _floor(lines: list[_Line], gap: Gap) -> int:
    """The least indentation width of the block's lines; those of a definition where it has no more code below."""
    if gap.line_prefix.strip():
        return width_of(indent_of(gap.line_prefix)) + 1
    first = lines[0].width if lines else 0
    body = _open_body(first, gap)
    return body if 0 < body < first else first


def _outer_floor(text: str, floor: int, gap: Gap) -> int:
    """The floor, or the indentation width of the definition's code below while that reads names nothing defines."""
    below = definition_below(gap) if missing_names(text, gap) else []
    return min([floor, *(width_of(indent_of(line)) for line in below)])


def _open_body(width: int, gap: Gap) -> int:
    """Indentation width of the body of the cursor's definition, if nothing of it stands below the cursor; else 0.

    Only where indentation alone makes blocks: elsewhere a closing bracket stands below.
    """
    if gap.language is None or gap.language.block != "indent":
        return 0
    for line in reversed(gap.previous_lines):
        inner, above = width, width_of(indent_of(line))
        if line.strip() and above < width:
            width = above
            if _DEFINITION.match(line.strip()):
                below = next((line for line in gap.next_lines if line.strip()), "")
                return inner if width_of(indent_of(below)) <= above else 0
    return 0


def _begins_group(line: _Line, above: _Line | None, floor: int, gap: Gap) -> bool:
    """Whether a blank line parts this one from a finished definition or, at the margin, from anything.

    A body of which nothing stands below goes on: no code says where it ends.
    """
    if above is None or not line.num_blank or line.width > floor or gap.opens_block:
        return False
    if 0 < _open_body(floor, gap) <= line.width:
        return False
    return floor == 0 or above.width > floor or above.code[0] in ")]}" or _word(above) in _words(gap)


def _is_directive(line: _Line, gap: Gap) -> bool:
    """Preprocessor lines stand at the margin of any block."""
    return line.code.startswith("#") and gap.language is not None and gap.language.name in ("c", "cpp", "csharp")


def _belongs(line: _Line, floor: int, gap: Gap) -> bool:
    """Whether a line left of the block still is part of it: a closing bracket or word the document lacks."""
    if line.code[0] in ")]}":
        return True  # those the document has were cut before, with the brackets
    is_word = _word(line) in _words(gap)
    return is_word and line.width == _opener_width(floor, gap) and not _has_end(line, gap)


def _closes_block(text: str, line: _Line, gap: Gap) -> bool:
    """Whether the block is closed with this line and nothing is opened again."""
    if line.code[0] not in ")]}":
        return gap.language is not None and _word(line) in gap.language.end_words
    opened_here = read_text(text[: line.offset], gap.language, gap.quote).open
    return not opened_here and not read_text(line.code, gap.language).open


def _opener_width(floor: int, gap: Gap) -> int:
    """Indentation width of the line that opened the cursor's block; -1 if there is none."""
    if gap.line_prefix.strip():
        return width_of(indent_of(gap.line_prefix))
    widths = (width_of(indent_of(line)) for line in reversed(gap.previous_lines) if line.strip())
    return next((width for width in widths if width < floor), -1)


def _has_end(line: _Line, gap: Gap) -> bool:
    """Whether the document closes a block of this indentation below the cursor before anything left of it."""
    for below in gap.next_lines:
        width = width_of(indent_of(below))
        if below.strip() and width <= line.width:
            return width == line.width and below.split(maxsplit=1)[0].rstrip(";),.") in _words(gap)
    return False


def _word(line: _Line) -> str:
    return line.code.split(maxsplit=1)[0].rstrip(";),.:")


def _words(gap: Gap) -> tuple[str, ...]:
    return (*gap.language.end_words, *gap.language.middle_words) if gap.language else ()
