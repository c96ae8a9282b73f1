"""A completion of shape "line" is one line; at the end of a line it may also be the next one."""

from heron.editor.postprocess.bracket_balance import opened_here
from heron.editor.syntax.gap import Gap, indent_of, width_of

MOST_BRACKET_LINES = 8


def cut_after_line(text: str, gap: Gap) -> str:
    """Cut after the first line with text.

    With something right of the cursor the answer must stand on the cursor's line. At the end of a line with text a
    model that begins with a line end says that the line is complete: its next line is kept, but no blank line is
    crossed for it. A line that opens a bracket goes on until that is closed.
    """
    if gap.shape != "line":
        return text
    if gap.line_suffix.strip() or gap.inside == "string":
        return text.split("\n", 1)[0]
    lead = len(text) - len(text.lstrip())
    if gap.line_prefix.strip() and _leaves(text[:lead], lead < len(text), gap):
        return ""
    end = text.find("\n", lead)
    for _ in range(MOST_BRACKET_LINES):
        if end < 0 or not opened_here(text[:end], gap):
            break
        end = text.find("\n", end + 1)
    return text if end < 0 else text[:end]


def _leaves(lead: str, has_text: bool, gap: Gap) -> bool:
    """Whether a next line would stand after a blank one or left of the cursor's line."""
    level = width_of(indent_of(gap.line_prefix))
    is_left = "\n" in lead and has_text and width_of(lead[lead.rfind("\n") + 1 :]) < level
    return is_left or lead.count("\n") > 1
