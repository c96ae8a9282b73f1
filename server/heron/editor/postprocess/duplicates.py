"""A completion that only says again what stands just above the cursor is none."""

from heron.editor.syntax.gap import Gap

LEAST_CHARACTERS = 8


def drop_duplicate(text: str, gap: Gap) -> str:
    """Drop text whose lines are the last lines above the cursor."""
    lines = [line.strip() for line in (gap.line_prefix + text).split("\n") if line.strip()]
    if not gap.line_prefix.strip() or gap.opens_block:
        lines = [line.strip() for line in text.split("\n") if line.strip()]
    above = [line.strip() for line in gap.previous_lines if line.strip()]
    if text.startswith("\n") and gap.line_prefix.strip():
        above.append(gap.line_prefix.strip())
        lines = [line.strip() for line in text.split("\n") if line.strip()]
    is_long = len("".join(lines)) >= LEAST_CHARACTERS
    return "" if is_long and above[-len(lines) :] == lines else text
