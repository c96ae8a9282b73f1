"""Where the inserted text begins: on the cursor's line or below it, with no blank lines of its own in front."""

import re

from heron.editor.syntax.gap import Gap, indent_of

_BLANK_LINES = re.compile(r"(?:[^\S\n]*\n)+")


def place_first_line(text: str, gap: Gap) -> str:
    """Begin a body on a new line, and text on a blank line without more blank lines."""
    blank = _BLANK_LINES.match(text)
    if not gap.line_prefix.strip():
        return text[blank.end() :] if blank else text
    if not gap.opens_block or gap.shape != "block":
        return text
    if blank:
        return "\n" + text[blank.end() :]
    return text if _fits_beside(text) else _on_new_line(text, gap)


def _fits_beside(text: str) -> bool:
    """Whether a text is a body on the line of its opener: after one space and on one line, or not yet begun."""
    return ("\n" not in text.strip("\n") and len(indent_of(text)) == 1) or not text.strip()


def _on_new_line(text: str, gap: Gap) -> str:
    return "\n" + indent_of(gap.line_prefix) + gap.indent_unit + text.lstrip(" \t")
