"""No bracket is left alone: what an answer opens is closed by it, or by what stands below."""

import re

from heron.editor.syntax.gap import Gap, indent_of
from heron.editor.syntax.lexical import PAIRS, Reading, read_text

LEAST_LINES = 2
_TELLING = re.compile(r"""[()\[\]{}"'`/#]""")


def close_left_open(text: str, gap: Gap) -> str:
    """Close the lines that a block still has open where it was broken off, each at the indentation of its opener.

    Last lines that only open something go first: there must be a body to close.
    """
    if gap.shape != "block" or gap.inside != "code" or gap.is_awaited:
        return text
    lines = text.split("\n")
    while len(lines) >= LEAST_LINES:
        kept = "\n".join(lines).rstrip()
        reading = read_text(kept, gap.language)
        if not reading.open and not reading.quote:
            return text
        last_line = kept.rfind("\n") + 1
        if not reading.quote and reading.open[-1].offset < last_line:
            return kept + _closing_lines(kept, reading, gap)
        lines.pop()
    return text


def _closing_lines(text: str, reading: Reading, gap: Gap) -> str:
    """Closers of what is open, those opened in one line together."""
    closing, last = "", -1
    for bracket in reversed(reading.open):
        start = text.rfind("\n", 0, bracket.offset) + 1
        if start != last:
            whole = text[start:] if start else gap.line_prefix + text
            closing += "\n" + indent_of(whole)
        closing, last = closing + PAIRS[bracket.char], start
    return closing


def cut_left_alone(text: str, gap: Gap) -> str:
    """Cut last lines, or before an opener, so that no more brackets are alone than without the text."""
    if not _TELLING.search(text) or (gap.inside != "code" and not gap.quote):
        return text
    allowed = _num_alone("", gap)
    lines = text.split("\n")
    for count in range(len(lines), 0, -1):
        kept = "\n".join(lines[:count]).rstrip()
        if _num_alone(kept, gap) <= allowed:
            return kept
    reading = read_text(lines[0], gap.language, gap.quote)
    return lines[0][: reading.open[0].offset].rstrip() if reading.open and not reading.quote else ""


def _num_alone(text: str, gap: Gap) -> int:
    """How many brackets around the cursor have no partner with a text put in; an open string counts as one."""
    reading = read_text(gap.preceding + text + gap.following, gap.language)
    return len(reading.open) + len(reading.unmatched) + bool(reading.quote)
