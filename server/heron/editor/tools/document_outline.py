"""The tool `document_outline`."""

from dataclasses import dataclass

from heron.editor.syntax.tags import Tag, read_tags
from heron.editor.syntax.tree import parse
from heron.editor.tools.arguments import argument
from heron.editor.tools.texts import find_text
from heron.editor.tools.tool import Reference, Scene, ToolResult
from heron.errors import InvalidRequest

MAX_TAGS = 200


@dataclass(frozen=True, slots=True)
class DocumentOutline:
    """List the classes, functions and other definitions in a file, with their lines."""

    path: str = argument("Path in the workspace")


def document_outline(arguments: DocumentOutline, scene: Scene) -> ToolResult:
    """One line a definition, indented by what it lies in."""
    text = find_text(scene, arguments.path)
    tree = parse(text.document)
    if tree is None:
        raise InvalidRequest(f"{text.shown!r} is in no language that Heron reads.", hint="read_file shows its text.")
    tags = read_tags(tree)
    lines = [_describe(tag) for tag in tags[:MAX_TAGS]]
    more = [f"[{len(tags) - MAX_TAGS} more]"] if len(tags) > MAX_TAGS else []
    references = tuple(Reference(text.shown, text.document.uri, tag.range) for tag in tags[:MAX_TAGS])
    return ToolResult("\n".join([*lines, *more]) or "No definitions.", references)


def _describe(tag: Tag) -> str:
    depth = len(tag.container.split(".")) if tag.container else 0
    first, last = tag.range.start.line + 1, tag.range.end.line + 1
    return f"{'  ' * depth}{first}-{last}: {tag.signature or f'{tag.kind} {tag.name}'}"
