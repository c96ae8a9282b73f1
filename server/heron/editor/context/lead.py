"""On a blank line that is not indented yet the model is told where code goes on: it writes code then, not a blank line.

A cursor on an empty line of a function stands at the margin, where a small model believes that all is done.
"""

import re

from heron.editor.syntax.gap import Gap, expects_body, indent_of, width_of

_CLOSERS = ")]}"
_DEFINITION = re.compile(r"(?:async\s+)?(?:def|class)\b")


def find_lead(gap: Gap) -> str:
    """Blanks that stand for the indentation the cursor's line lacks; empty where none is sure to be missing.

    It is the least that the line may have: how much deeper it goes is left to the model.
    """
    is_blank = not gap.line_prefix.strip() and not gap.line_suffix.strip()
    if gap.shape != "block" or not is_blank or gap.inside != "code" or _continues_bracket(gap):
        return ""
    missing = _least_width(gap) - width_of(gap.line_prefix)
    if missing <= 0 or "\t" in gap.line_prefix:
        return ""
    return "\t" * (missing // 4) if gap.indent_unit == "\t" else " " * missing


def _least_width(gap: Gap) -> int:
    """Columns at which any code on the cursor's line begins at least."""
    above = next((line for line in reversed(gap.previous_lines) if line.strip()), "")
    below = next((line for line in gap.next_lines if line.strip()), "")
    step = width_of(gap.indent_unit)
    if expects_body(above, gap.language):
        return width_of(indent_of(above)) + step
    least_below = width_of(indent_of(below)) + step * (below.strip()[:1] in _CLOSERS if below else 0)
    return min(width_of(indent_of(above)), least_below, _definition_width(width_of(indent_of(above)), gap) + step)


def _definition_width(width: int, gap: Gap) -> int:
    """Indentation of the definition the cursor is in, seen from code above of some width; 0 where none is found.

    What stands below may be the body of a line to come, so that nearer lines say too much.
    """
    for line in reversed(gap.previous_lines):
        above = width_of(indent_of(line))
        if line.strip() and above < width:
            width = above
            if _DEFINITION.match(line.strip()):
                return above
    return 0


def _continues_bracket(gap: Gap) -> bool:
    """Whether the line continues a bracket, where indentation follows no rule."""
    if not gap.reading.open or gap.language is None:
        return False
    return gap.language.block == "indent" or gap.reading.open[-1].char in "(["
