"""The tool `grep`."""

import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import regex

from heron.editor.document import Document, Position, Range
from heron.editor.tools.arguments import argument
from heron.editor.tools.texts import open_by_path
from heron.editor.tools.tool import Reference, Scene, ToolResult
from heron.editor.workspace.opening import read_text
from heron.editor.workspace.uris import uri_of_path
from heron.editor.workspace.walk import walk
from heron.errors import HeronError, InvalidRequest

MAX_MATCHES = 50
MAX_LINE_CHARS = 200
FILE_TIMEOUT_S = 0.5
"""For all matches in one file: a pattern that backtracks without end is told of instead of awaited."""


@dataclass(frozen=True, slots=True)
class Grep:
    """Search the text of all files in the workspace, line by line."""

    pattern: str = argument("Text to find")
    is_regex: bool = argument("The pattern is a regular expression", default=False)
    ignore_case: bool = argument("Upper and lower case are alike", default=False)
    glob: str = argument("Only paths like this, e.g. src/*.py", default="")


def grep(arguments: Grep, scene: Scene) -> ToolResult:
    """Lines as `path:line: text`, at most `MAX_MATCHES`; open documents are searched as they stand in the editor."""
    pattern = _compile(arguments)
    lines: list[str] = []
    references: list[Reference] = []
    for shown, document in _list_texts(arguments.glob, scene):
        for number in _find_lines(pattern, document):
            if len(lines) == MAX_MATCHES:
                return ToolResult("\n".join([*lines, "[more matches; narrow the search]"]), tuple(references))
            lines.append(f"{shown}:{number + 1}: {document.line(number).strip()[:MAX_LINE_CHARS]}")
            where = Range(Position(number, 0), Position(number + 1, 0))
            references.append(Reference(shown, document.uri, where))
    return ToolResult("\n".join(lines) or "No matches.", tuple(references))


def _compile(arguments: Grep) -> "regex.Pattern[str]":
    if not arguments.pattern:
        raise InvalidRequest("The pattern is empty.", param="pattern")
    source = arguments.pattern if arguments.is_regex else regex.escape(arguments.pattern)
    flags = regex.MULTILINE | (regex.IGNORECASE if arguments.ignore_case else 0)
    try:
        return regex.compile(source, flags)
    except regex.error as error:
        raise InvalidRequest(f"The pattern is no regular expression: {error}.", param="pattern") from error


def _list_texts(glob: str, scene: Scene) -> Iterator[tuple[str, Document]]:
    """All visible texts whose path fits, with how it is shown."""
    documents = open_by_path(scene)
    for path in walk(scene.workspace):
        scene.check()
        shown = scene.workspace.relative(path)
        if not glob or _fits(shown, glob):
            document = documents.get(path) or _read(scene, path)
            if document is not None:
                yield shown, document


def _fits(shown: str, glob: str) -> bool:
    """As gitignore reads it: a pattern without a slash is about the name, `**` crosses folders, and so may `*`."""
    name = shown.rpartition("/")[2]
    return fnmatch.fnmatchcase(name if "/" not in glob else shown, glob.removeprefix("./").replace("**/", "*"))


def _read(scene: Scene, path: Path) -> Document | None:
    try:
        return Document(uri_of_path(path), 0, "", read_text(scene.workspace, path))
    except HeronError:
        return None


def _find_lines(pattern: "regex.Pattern[str]", document: Document) -> Iterator[int]:
    """Numbers of the lines in which a match begins, each once."""
    last = -1
    try:
        for match in pattern.finditer(document.text, timeout=FILE_TIMEOUT_S, concurrent=True):
            line = document.position(match.start()).line
            if line != last:
                yield line
            last = line
    except TimeoutError as error:
        raise InvalidRequest("The pattern takes too long to match.", hint="Use a simpler one.") from error
