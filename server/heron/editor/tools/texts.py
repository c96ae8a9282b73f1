"""The text behind a path a model wrote: the open document's if there is one, else the file's."""

import os
from dataclasses import dataclass
from pathlib import Path

from heron.editor.document import Document, Position, Range
from heron.editor.tools.tool import Reference, Scene
from heron.editor.tools.visible import locate_visible
from heron.editor.workspace.opening import read_text
from heron.editor.workspace.uris import path_of_uri, uri_of_path
from heron.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Text:
    """A document inside the workspace; `shown` is how its path is told. On disk it is version 0 and not `is_open`."""

    document: Document
    path: Path
    shown: str
    is_open: bool

    def reference(self, first_line: int, end_line: int) -> Reference:
        """Lines of this text, zero-based, the end excluded."""
        return Reference(self.shown, self.document.uri, Range(Position(first_line, 0), Position(end_line, 0)))


def find_text(scene: Scene, text: str) -> Text:
    """The text of a path. Raises OutsideWorkspace for what tools may not see, InvalidRequest for what is no text."""
    path = locate_visible(scene, text)
    shown = scene.workspace.relative(path)
    if path.is_dir():
        raise InvalidRequest(f"{shown!r} is a folder.", hint="list_directory shows what is in it.")
    document = find_open(scene, path)
    if document is not None:
        return Text(document, path, shown, is_open=True)
    content = read_text(scene.workspace, path)
    return Text(Document(uri_of_path(path), 0, "", content), path, shown, is_open=False)


def find_open(scene: Scene, path: Path) -> Document | None:
    """The open document at a located path."""
    return open_by_path(scene).get(path)


def open_by_path(scene: Scene) -> dict[Path, Document]:
    """The open documents by their real paths; editors may name one by a link or with other escapes."""
    named = ((path_of_uri(document.uri), document) for document in scene.documents())
    return {Path(os.path.realpath(path)): document for path, document in named if path is not None}
