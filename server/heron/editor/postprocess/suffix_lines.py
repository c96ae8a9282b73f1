"""The answer must not repeat the lines below the cursor."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from heron.editor.syntax.gap import Gap, expects_body

LEAST_WORD_CHARACTERS = 3
ALIKE = 0.9
LEAST_ALIKE_CHARACTERS = 12
LEAST_TELLING_CHARACTERS = 8
LEAST_ALONE_CHARACTERS = 16
NEAR_LINES = 8
_NOISE = re.compile(r"[\s;,]+")
_NOT_WORD = re.compile(r"\W+")


def cut_suffix_lines(text: str, gap: Gap) -> str:
    """Cut before a line equal to the next line of the document or, where that says little, before its next two."""
    below = [line for line in gap.next_lines if line.strip()][:2]
    if not below or gap.line_suffix.strip():
        return text
    wanted = below[:1] if _says_much(below[0]) or gap.is_awaited else below
    lines = [*_whole_lines(text, gap)]
    for index in range(len(lines) + 1 - len(wanted)):
        pairs = zip(lines[index:], wanted, strict=False)
        if all(_is_same(line, below_line, number) for (number, _, line), below_line in pairs):
            return text[: lines[index][1]].rstrip("\n")
    return text


def cut_repeated_below(text: str, gap: Gap) -> str:
    """Cut before a further line that stands a little below the cursor: from there on what is there is written anew.

    The indentation may differ. A line that opens a block for what was cut goes with it.
    """
    if gap.shape != "block" or gap.line_suffix.strip():
        return text
    below = [_NOISE.sub("", line) for line in gap.next_lines if line.strip()][:NEAR_LINES]
    lines = [*_whole_lines(text, gap)]
    bare = [_NOISE.sub("", _without_comment(line, gap)) for _, _, line in lines]
    for index in range(1, len(lines)):
        if _goes_on_below(bare[index:], below):
            while index > 1 and expects_body(lines[index - 1][2], gap.language):
                index -= 1
            return text[: lines[index][1]].rstrip("\n")
    return text


def _goes_on_below(lines: list[str], below: list[str]) -> bool:
    """Whether the first of the lines stands below, and a short one, which may stand anywhere, with its neighbour."""
    length = len(_NOT_WORD.sub("", lines[0]))
    if length < LEAST_TELLING_CHARACTERS or lines[0] not in below:
        return False
    place = below.index(lines[0])
    is_joined = below[place + 1 : place + 2] == lines[1:2] if len(lines) > 1 else not place
    return is_joined or length >= LEAST_ALONE_CHARACTERS


def _without_comment(line: str, gap: Gap) -> str:
    """The line up to a comment set off by two blanks, as comments at the end of a line are."""
    marks = gap.language.line_comments if gap.language else ()
    return min((line.partition(f"  {mark}")[0] for mark in marks), key=len, default=line)


def _whole_lines(text: str, gap: Gap) -> Iterator[tuple[int, int, str]]:
    """Number, offset and text of the lines with text; the first with what is typed before it."""
    offset = 0
    for number, line in enumerate(text.split("\n")):
        whole = line if number else gap.line_prefix + line
        if whole.strip():
            yield number, offset, whole
        offset += len(line) + 1


def cut_alike_lines(text: str, gap: Gap) -> str:
    """Cut where two lines are the next two lines of the document, one of them slightly changed.

    Both changed would be a table's rows, which are alike by nature.
    """
    below = [line for line in gap.next_lines if line.strip()][:2]
    if gap.shape != "block" or len(below) < 2 or len(_NOT_WORD.sub("", "".join(below))) < LEAST_ALIKE_CHARACTERS:
        return text
    lines = text.split("\n")
    for number in range(len(lines) - 1):
        pairs = ((lines[number], below[0]), (lines[number + 1], below[1]))
        if any(_is_same(*pair, number=1) for pair in pairs) and all(_is_alike(*pair) for pair in pairs):
            return "\n".join(lines[:number])
    return text


def _says_much(line: str) -> bool:
    return len(_NOT_WORD.sub("", line)) >= LEAST_WORD_CHARACTERS


def _is_same(line: str, below: str, number: int) -> bool:
    """Equal but for white space and separators; the indentation of the cursor's own line is still being typed."""
    if number and len(line) - len(line.lstrip()) != len(below) - len(below.lstrip()):
        return False
    return _NOISE.sub("", line) == _NOISE.sub("", below)


def _is_alike(one: str, other: str) -> bool:
    matcher = SequenceMatcher(None, one.strip(), other.strip(), autojunk=False)
    return matcher.real_quick_ratio() >= ALIKE and matcher.quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE
