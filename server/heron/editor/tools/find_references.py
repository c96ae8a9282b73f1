"""The tool `find_references`."""

from collections.abc import Iterator
from dataclasses import dataclass

from heron.editor.document import Position, Range
from heron.editor.tools.arguments import argument
from heron.editor.tools.indexed import need_index
from heron.editor.tools.texts import find_text
from heron.editor.tools.tool import Reference, Scene, ToolResult
from heron.errors import HeronError

MAX_FILES = 30
MAX_PLACES = 50
MAX_LINE_CHARS = 200


@dataclass(frozen=True, slots=True)
class FindReferences:
    """Find the places where a name is used in the workspace."""

    name: str = argument("Name of a function, class or variable")


def find_references(arguments: FindReferences, scene: Scene) -> ToolResult:
    """Lines as `path:line: text`, files that use it most first."""
    places = list(_list_places(arguments.name, scene))
    lines = [line for line, _ in places[:MAX_PLACES]]
    more = ["[more places]"] if len(places) > MAX_PLACES else []
    references = tuple(reference for _, reference in places[:MAX_PLACES])
    return ToolResult("\n".join([*lines, *more]) or f"{arguments.name!r} is not used anywhere.", references)


def _list_places(name: str, scene: Scene) -> Iterator[tuple[str, Reference]]:
    """At most one more than are shown. Lines that lost the name since they were indexed are left out."""
    count = 0
    for occurrence in need_index(scene).find_references(name, MAX_FILES):
        scene.check()
        try:
            text = find_text(scene, str(occurrence.path))
        except HeronError:
            continue
        for number in occurrence.lines:
            line = text.document.line(number)
            if name not in line or count > MAX_PLACES:
                continue
            count += 1
            column = line.index(name)
            where = Range(Position(number, column), Position(number, column + len(name)))
            shown = f"{text.shown}:{number + 1}: {line.strip()[:MAX_LINE_CHARS]}"
            yield shown, Reference(text.shown, text.document.uri, where)
