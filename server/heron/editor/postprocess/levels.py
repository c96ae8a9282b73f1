"""Where indentation alone makes blocks: deeper only after a line that opens one, and back only to where one began."""

from collections.abc import Iterator

from heron.editor.syntax.gap import Gap, expects_body, indent_of, width_of
from heron.editor.syntax.lexical import read_text

LOOKED_AT_LINES = 200


def cut_wrong_level(text: str, gap: Gap) -> str:
    """Cut before a further line that no interpreter takes at its indentation, and last openers left without a body."""
    if gap.shape != "block" or gap.inside != "code" or gap.language is None or gap.language.block != "indent":
        return text
    lines = [gap.line_prefix, *reversed(gap.previous_lines[-LOOKED_AT_LINES:])]
    above = next((line for line in lines if _is_code(line, gap)), "")
    levels = _levels(lines)
    for offset, line in _statements(text, gap):
        width = width_of(indent_of(line))
        if expects_body(above, gap.language):
            levels.append(width)
        elif offset and width not in levels:
            return text[:offset].rstrip("\n")
        above, levels = line, [level for level in levels if level < width] + [width]
    return _without_opener(text, gap)


def _levels(lines: list[str]) -> list[int]:
    """Indentation widths of the blocks that a line below may be in; `lines` from the nearest up."""
    levels: list[int] = []
    for line in lines:
        width = width_of(indent_of(line))
        if line.strip() and (not levels or width < levels[-1]):
            levels.append(width)
    return levels


def _statements(text: str, gap: Gap) -> Iterator[tuple[int, str]]:
    """Offset and text of the lines that begin a statement, the first with what is typed before it."""
    offset = 0
    for number, line in enumerate(text.split("\n")):
        before = read_text(text[:offset], gap.language)
        is_first = not before.open and not before.quote and not text[:offset].rstrip("\n").endswith("\\")
        if is_first and _is_code(line, gap):
            yield offset, line if number else gap.line_prefix + line
        offset += len(line) + 1


def _is_code(line: str, gap: Gap) -> bool:
    """Whether there is more on a line than a comment."""
    marks = gap.language.line_comments if gap.language else ()
    return bool(line.strip()) and not line.lstrip().startswith(marks)


def _lacks_body(line: str, below: int, gap: Gap) -> bool:
    return expects_body(line, gap.language) and below <= width_of(indent_of(line))


def _without_opener(text: str, gap: Gap) -> str:
    """The text without last lines that open a block of which nothing, or a comment alone, stands below."""
    below = width_of(indent_of(next((line for line in gap.next_lines if line.strip()), "")))
    lines = text.split("\n")
    code = [number for number, line in enumerate(lines) if _is_code(line, gap)]
    while code and _lacks_body(lines[code[-1]] if code[-1] else gap.line_prefix + lines[0], below, gap):
        lines = lines[: code.pop()]
    return "\n".join(lines).rstrip()
