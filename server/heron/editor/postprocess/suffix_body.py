"""Where the body of what is offered stands below the cursor already, only the line that opens it is wanted."""

from heron.editor.syntax.gap import Gap, expects_body, indent_of, width_of


def cut_to_opener(text: str, gap: Gap) -> str:
    """Cut after the line that opens the block below; drop text that has none, for it would leave that block alone.

    The block below is deeper than the line the text begins: someone writes, or writes anew, what it belongs to.
    """
    if not _has_body_below(text, gap):
        return text
    end = 0
    for line in text.split("\n"):
        end += len(line) + 1
        if expects_body(line, gap.language):
            return text[: end - 1]
    return ""


def _has_body_below(text: str, gap: Gap) -> bool:
    if gap.language is None or gap.language.block != "indent" or gap.line_prefix.strip() or gap.inside != "code":
        return False
    below = next((line for line in gap.next_lines if line.strip()), "")
    first = width_of(indent_of(gap.line_prefix + text))
    is_open = bool(gap.reading.open) or gap.line_suffix.strip()
    return not is_open and bool(text.strip()) and width_of(indent_of(below)) > first
