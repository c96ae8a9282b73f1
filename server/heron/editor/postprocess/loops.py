"""Small models loop: the same line, block or phrase again and again."""

import re

from heron.editor.syntax.gap import Gap

MAX_PERIOD_LINES = 8
LEAST_BLOCK_CHARACTERS = 24
LOOKED_AT_CHARACTERS = 600
_LETTERS = re.compile(r"[^\W\d_]")
_TELLING = re.compile(r"\w|[^\x00-\x7f]")
_PHRASE = re.compile(r"([^\n]{10,80}?)\1{2,}|([^\n]{3,9}?)\2{4,}")


def cut_loops(text: str, gap: Gap) -> str:
    """Cut after the first of equal lines (three in a row), equal blocks (two) or equal phrases in a line."""
    typed = gap.line_prefix if not gap.line_prefix.strip() else ""
    return _cut_phrases(_cut_lines(typed + text)[len(typed) :])


def _cut_lines(text: str) -> str:
    lines = text.split("\n")
    for start in range(len(lines)):
        for period in range(1, min(MAX_PERIOD_LINES, (len(lines) - start) // 2) + 1):
            if _repeats(lines, start, period):
                return "\n".join(lines[: start + period])
    return text


def _repeats(lines: list[str], start: int, period: int) -> bool:
    unit = lines[start : start + period]
    joined = "".join(unit)
    if period == 1:
        return len(joined.strip()) > 2 and _TELLING.search(joined) is not None and lines[start : start + 3] == unit * 3
    if not _LETTERS.search(joined):
        return False
    return len(joined) >= LEAST_BLOCK_CHARACTERS and lines[start + period : start + 2 * period] == unit


def _cut_phrases(text: str) -> str:
    begin = max(0, len(text) - LOOKED_AT_CHARACTERS)
    for found in _PHRASE.finditer(text, begin):
        unit = found.group(1) or found.group(2)
        if _LETTERS.search(unit) and len(set(unit)) > 2:
            return text[: found.start() + _period(unit)]
    return text


def _period(unit: str) -> int:
    """Length of the shortest text that `unit` is made of."""
    return next(size for size in range(1, len(unit) + 1) if unit[:size] * (len(unit) // size) == unit)
