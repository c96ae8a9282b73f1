"""The tool `read_file`."""

from dataclasses import dataclass

from heron.editor.tools.arguments import argument
from heron.editor.tools.texts import find_text
from heron.editor.tools.tool import Scene, ToolResult
from heron.errors import InvalidRequest

MAX_LINES = 200


@dataclass(frozen=True, slots=True)
class ReadFile:
    """Read a file of the workspace, or some of its lines."""

    path: str = argument("Path in the workspace")
    start_line: int = argument("First line, from 1", default=1, minimum=1)
    end_line: int = argument("Last line; 0 reads on", default=0, minimum=0)


def read_file(arguments: ReadFile, scene: Scene) -> ToolResult:
    """At most `MAX_LINES` lines, below a head that names path and lines."""
    text = find_text(scene, arguments.path)
    document = text.document
    first, last = _choose_lines(arguments, document.num_lines)
    lines = [document.line(number) for number in range(first, last)]
    note = f"\n[{document.num_lines - last} more lines]" if last < document.num_lines else ""
    head = f"{text.shown}, lines {first + 1}-{last} of {document.num_lines}:"
    return ToolResult("\n".join([head, *lines]) + note, (text.reference(first, last),))


def _choose_lines(arguments: ReadFile, num_lines: int) -> tuple[int, int]:
    """First line and the line after the last, from 0."""
    first, last = arguments.start_line - 1, arguments.end_line or num_lines
    if first >= num_lines:
        raise InvalidRequest(f"start_line {arguments.start_line} is past the end: there are {num_lines} lines.")
    if last <= first:
        raise InvalidRequest(f"end_line {arguments.end_line} is before start_line {arguments.start_line}.")
    return first, min(last, num_lines, first + MAX_LINES)
