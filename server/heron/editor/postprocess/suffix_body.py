"""Where a deeper block stands below the cursor, what is offered has to lead into it: someone writes its head anew."""

from collections.abc import Iterator

from heron.editor.syntax.gap import Gap, expects_body, indent_of, width_of


def cut_past_body(text: str, gap: Gap) -> str:
    """Cut before a line that leaves the block below, once a line that opens it has come, unless the last line does."""
    body = _body_below(text, gap)
    lines = [*_lines(text, gap)] if body else []
    if lines and _opens(lines[-1][1], gap):
        return text
    is_open = False
    for end, line in lines:
        width = width_of(indent_of(line))
        if is_open and width < body and not _opens(line, gap) and not _is_comment(line, gap):
            return text[: end - len(line)].rstrip("\n")
        is_open = is_open or _opens(line, gap)
    return text


def end_at_opener(text: str, gap: Gap) -> str:
    """End with a line that the block below can follow; drop text that has none, for it would leave the block alone."""
    body = _body_below(text, gap)
    if not body:
        return text
    fits = 0
    for end, line in _lines(text, gap):
        if width_of(indent_of(line)) >= body or _opens(line, gap):
            fits = end
    return text[:fits]


def _body_below(text: str, gap: Gap) -> int:
    """Indentation width of the next line where it is deeper than the line that `text` begins, else 0."""
    is_blank = not gap.line_prefix.strip() and not gap.line_suffix.strip()
    is_plain = gap.inside == "code" and not gap.reading.open and bool(text.strip())
    if not is_blank or not is_plain or gap.language is None or gap.language.block != "indent":
        return 0
    below = width_of(indent_of(next((line for line in gap.next_lines if line.strip()), "")))
    return below if below > width_of(indent_of(gap.line_prefix + text)) else 0


def _lines(text: str, gap: Gap) -> Iterator[tuple[int, str]]:
    """Lines with text, the first with what is typed before it, and the offset in `text` of their ends."""
    end = -1
    for number, line in enumerate(text.split("\n")):
        end += len(line) + 1
        if line.strip():
            yield end, line if number else gap.line_prefix + line


def _opens(line: str, gap: Gap) -> bool:
    return expects_body(line, gap.language)


def _is_comment(line: str, gap: Gap) -> bool:
    return gap.language is not None and line.lstrip().startswith(gap.language.line_comments)
