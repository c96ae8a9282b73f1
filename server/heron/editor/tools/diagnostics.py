"""The tool `diagnostics`."""

from dataclasses import dataclass

from heron.editor.diagnostic import Diagnostic
from heron.editor.tools.arguments import argument
from heron.editor.tools.open_documents import show_uri
from heron.editor.tools.texts import find_open
from heron.editor.tools.tool import Reference, Scene, ToolResult
from heron.editor.tools.visible import locate_visible
from heron.editor.workspace.uris import uri_of_path

MAX_SHOWN = 50
_ORDER = ("error", "warning", "information", "hint")


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """Show the errors and warnings of compilers and linters for a file, or for all open ones."""

    path: str = argument("Path in the workspace; empty for all open files", default="")


def diagnostics(arguments: Diagnostics, scene: Scene) -> ToolResult:
    """Worst first, at most `MAX_SHOWN`."""
    found = [
        (_ORDER.index(item.severity), shown, uri, item)
        for uri, shown in _choose_uris(arguments.path, scene)
        for item in scene.diagnostics(uri)
    ]
    found.sort(key=lambda one: (one[0], one[1], one[3].range))
    lines = [_describe(shown, item) for _, shown, _, item in found[:MAX_SHOWN]]
    more = [f"[{len(found) - MAX_SHOWN} more]"] if len(found) > MAX_SHOWN else []
    references = tuple(Reference(shown, uri, item.range) for _, shown, uri, item in found[:MAX_SHOWN])
    return ToolResult("\n".join([*lines, *more]) or "No diagnostics.", references)


def _choose_uris(path: str, scene: Scene) -> list[tuple[str, str]]:
    """URIs as the editor writes them, and how they are shown."""
    if not path:
        return [(document.uri, shown) for document in scene.documents() if (shown := show_uri(scene, document.uri))]
    located = locate_visible(scene, path)
    document = find_open(scene, located)
    return [(document.uri if document else uri_of_path(located), scene.workspace.relative(located))]


def _describe(shown: str, item: Diagnostic) -> str:
    rule = " ".join(part for part in (item.source, item.code) if part)
    start = item.range.start
    place = f"{shown}:{start.line + 1}:{start.column + 1}"
    return f"{place}: {item.severity}: {item.message}" + (f" [{rule}]" if rule else "")
