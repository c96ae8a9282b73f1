"""The tool `open_documents`."""

from dataclasses import dataclass

from heron.editor.tools.tool import Scene, ToolResult
from heron.editor.tools.visible import show_path
from heron.editor.workspace.uris import path_of_uri


@dataclass(frozen=True, slots=True)
class OpenDocuments:
    """List the documents that are open in the editor."""


def open_documents(arguments: OpenDocuments, scene: Scene) -> ToolResult:
    """One line a document inside the workspace: path, language, lines."""
    shown = ((show_uri(scene, document.uri), document) for document in scene.documents())
    lines = [f"{path} ({document.language or 'text'}, {document.num_lines} lines)" for path, document in shown if path]
    return ToolResult("\n".join(sorted(lines)) or "No document of the workspace is open.")


def show_uri(scene: Scene, uri: str) -> str:
    """A document's path as tools tell it; empty for one they may not see."""
    path = path_of_uri(uri)
    return show_path(scene, path) if path else ""
