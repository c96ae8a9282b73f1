"""Brackets: nothing is closed that the completion did not open, unless the document leaves it open at the cursor."""

from heron.editor.syntax.gap import Gap
from heron.editor.syntax.lexical import PAIRS, Bracket, read_text


def cut_unopened_closers(text: str, gap: Gap) -> str:
    """Cut before the first closer that neither the completion nor the unclosed code before the cursor asks for."""
    if gap.inside != "code" and not gap.quote:
        return text  # prose in a line comment
    reading = read_text(text, gap.language, gap.quote)
    for closer, allowed in zip(reading.unmatched, gap.closable.ljust(len(reading.unmatched)), strict=False):
        if closer.char != allowed:
            return _cut_at(text, closer.offset)
    return text


def cut_unclosed_lines(text: str, gap: Gap) -> str:
    """Cut a block back to its last line after which no bracket or string is left open, if there is one."""
    if gap.shape != "block" or gap.is_awaited:
        return text
    lines = text.split("\n")
    for count in range(len(lines), 0, -1):
        kept = "\n".join(lines[:count]).rstrip()
        reading = read_text(kept, gap.language, gap.quote)
        if kept.strip() and not reading.open and not reading.quote:
            return kept
    return text


def opened_here(text: str, gap: Gap) -> tuple[Bracket, ...]:
    """Parentheses and brackets that a completion of code at a line's end leaves open and nothing below closes."""
    if gap.shape != "line" or gap.inside != "code" or gap.line_suffix.strip() or gap.is_awaited:
        return ()
    return tuple(bracket for bracket in read_text(text, gap.language).open if bracket.char in "([")


def cut_open_bracket(text: str, gap: Gap) -> str:
    """Cut before a bracket at a line's end that the answer never closed."""
    left_open = opened_here(text, gap)
    return text[: left_open[0].offset].rstrip() if left_open else text


def close_in_line(text: str, gap: Gap) -> str:
    """Before code on the same line, close what the completion opened, so that what follows closes its own."""
    rest = gap.line_suffix
    if gap.shape != "line" or not rest.strip() or gap.inside != "code":
        return text
    reading = read_text(text, gap.language)
    if reading.ends == "comment":
        text = text[: reading.plain[-1][0]].rstrip()
        reading = read_text(text, gap.language)
    before, after = read_text(gap.preceding + rest, gap.language), read_text(gap.preceding + text + rest, gap.language)
    if len(after.open) <= len(before.open) or len(after.unmatched) < len(before.unmatched):
        return text
    closers = "".join(PAIRS[bracket.char] for bracket in reversed(reading.open))
    return text + reading.quote + closers


def _cut_at(text: str, offset: int) -> str:
    """The text before an offset, without the line that the offset begins."""
    line_start = text.rfind("\n", 0, offset) + 1
    if line_start and not text[line_start:offset].strip():
        return text[:line_start].rstrip("\n")
    return text[:offset]
