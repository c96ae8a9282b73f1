"""The tool `apply_edit`: offers a change to a text. It never writes; the editor applies what the person accepts."""

import difflib
from dataclasses import dataclass

from heron.editor.document import Document, Position, Range
from heron.editor.tools.arguments import argument
from heron.editor.tools.texts import Text, find_text
from heron.editor.tools.tool import ProposedEdit, Reference, Scene, ToolResult
from heron.editor.tools.visible import locate_visible
from heron.editor.workspace.uris import uri_of_path
from heron.errors import InvalidRequest

MAX_TOLD = 5
_START = Range(Position(0, 0), Position(0, 0))


@dataclass(frozen=True, slots=True)
class ApplyEdit:
    """Propose a change to a file: replace old_text, or lines, with new_text. The user decides."""

    path: str = argument("Path in the workspace")
    old_text: str = argument("Text to replace, occurring once; empty to replace lines")
    new_text: str = argument("What is put there")
    start_line: int = argument("First line to replace, from 1", default=0, minimum=0)
    end_line: int = argument("Last line to replace", default=0, minimum=0)


def apply_edit(arguments: ApplyEdit, scene: Scene) -> ToolResult:
    """One edit, made for the text as it is now: `version` tells which, so that a later change is noticed."""
    path = locate_visible(scene, arguments.path)
    if not path.exists() and not arguments.old_text and not arguments.start_line:
        shown, uri = scene.workspace.relative(path), uri_of_path(path)
        edit = ProposedEdit(uri, None, _START, arguments.new_text)
        return ToolResult(f"Proposed the new file {shown}.", (Reference(shown, uri, _START),), (edit,))
    text = find_text(scene, arguments.path)
    where = _find_range(arguments, text.document)
    new_text = _match_line_ends(arguments.new_text, text.document)
    if arguments.start_line and not arguments.old_text and where.end.column == 0 and new_text[-1:] not in ("", "\n"):
        new_text += _line_end(text.document)
    return _propose(text, where, new_text)


def _propose(text: Text, where: Range, new_text: str) -> ToolResult:
    document = text.document
    if document.text[document.offset(where.start) : document.offset(where.end)] == new_text:
        raise InvalidRequest("The edit changes nothing: new_text is what is there.")
    edit = ProposedEdit(document.uri, document.version if text.is_open else None, where, new_text)
    lines = f"{where.start.line + 1}-{where.end.line + 1}"
    said = f"Proposed a change of {text.shown}, lines {lines}. The user decides about it."
    return ToolResult(said, (Reference(text.shown, document.uri, where),), (edit,))


def _find_range(arguments: ApplyEdit, document: Document) -> Range:
    if arguments.old_text:
        exact = arguments.old_text in document.text
        return _find_text(arguments.old_text if exact else _match_line_ends(arguments.old_text, document), document)
    first, last = arguments.start_line - 1, (arguments.end_line or arguments.start_line) - 1
    if not 0 <= first <= last < document.num_lines:
        raise InvalidRequest(
            f"Lines {arguments.start_line} to {arguments.end_line} are not in 1 to {document.num_lines}.",
            hint="Give old_text, or start_line and end_line.",
        )
    end = Position(last + 1, 0) if last + 1 < document.num_lines else Position(last, len(document.line(last)))
    return Range(Position(first, 0), end)


def _find_text(old: str, document: Document) -> Range:
    """The one place of a text."""
    starts: list[int] = []
    at = document.text.find(old)
    while at >= 0 and len(starts) <= MAX_TOLD:
        starts.append(at)
        at = document.text.find(old, at + 1)
    if len(starts) == 1:
        found = Range(document.position(starts[0]), document.position(starts[0] + len(old)))
        if document.offset(found.end) - document.offset(found.start) != len(old):
            raise InvalidRequest("old_text begins or ends within a line end.")
        return found
    if not starts:
        raise InvalidRequest("old_text does not occur in the file.", hint=_describe_nearest(old, document))
    lines = ", ".join(str(document.position(start).line + 1) for start in starts[:MAX_TOLD])
    raise InvalidRequest(f"old_text occurs more than once, in lines {lines}.", hint="Give more of the text around it.")


def _describe_nearest(old: str, document: Document) -> str:
    wanted = max(old.splitlines(), key=lambda line: len(line.strip()), default="").strip()
    lines = {document.line(number).strip(): number for number in reversed(range(min(document.num_lines, 5000)))}
    close = difflib.get_close_matches(wanted, list(lines), n=1, cutoff=0.7)
    return f"Line {lines[close[0]] + 1} is near it: {close[0][:200]!r}" if close else "Read the file first."


def _match_line_ends(text: str, document: Document) -> str:
    """The text with the document's line ends; models write \\n."""
    return text.replace("\r\n", "\n").replace("\n", _line_end(document))


def _line_end(document: Document) -> str:
    return "\r\n" if "\r\n" in document.text else "\n"
