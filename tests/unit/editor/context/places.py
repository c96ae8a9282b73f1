"""Views of the small workspace of `conftest`, for tests of what is found there."""

from pathlib import Path

from heron.editor.context.index.index import Index
from heron.editor.context.scope import read_scope
from heron.editor.context.view import Scenery, Spot, View
from heron.editor.document import Document
from heron.editor.syntax.languages import find_language
from heron.editor.syntax.tree import parse


def spot_at(index: Index, name: str, marked: str) -> Spot:
    """A file of the workspace whose text is given with its cursor marked."""
    path, language = index.workspace.folders[0] / name, find_language("", name)
    document = Document(path.as_uri(), 1, language.ids[0] if language else "", marked.replace("│", ""))
    return Spot(document, document.position(marked.index("│")), parse(document))


def view_at(index: Index, name: str, marked: str, scenery: Scenery | None = None) -> View:
    spot = spot_at(index, name, marked)
    scope = read_scope(spot.document, spot.position, spot.tree)
    return View(spot, index.workspace.folders[0] / name, scope, scenery or Scenery(index), {})


def write(index: Index, name: str, text: str) -> Path:
    """A file of the workspace, indexed."""
    path = index.workspace.folders[0] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    index.update(path)
    return path
