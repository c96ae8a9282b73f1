"""What sources of snippets may look at: a cursor, and what is known of the workspace around it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from heron.editor.context.index.index import Index
from heron.editor.context.scope import Scope
from heron.editor.context.trail import Region
from heron.editor.diagnostic import Diagnostic
from heron.editor.document import Document, Position
from heron.editor.syntax.tree import Tree


@dataclass(frozen=True, slots=True)
class Spot:
    """A cursor. `tree` is of the same version as the document, or None."""

    document: Document
    position: Position
    tree: Tree | None


@dataclass(frozen=True, slots=True)
class Scenery:
    """What is known besides the document in front; the functions are called in threads and answer at once."""

    index: Index
    opened: Callable[[], tuple[Document, ...]] = tuple
    regions: Callable[[], tuple[Region, ...]] = tuple
    diagnostics: Callable[[str], tuple[Diagnostic, ...]] = lambda uri: ()
    changes: Callable[[], str] = str
    """git's diff since the last commit, for the first folder."""


@dataclass(frozen=True, slots=True)
class View:
    """A cursor in a document of the workspace at `path`, what it refers to, and what is known besides."""

    spot: Spot
    path: Path
    scope: Scope
    scenery: Scenery
    ranks: Mapping[str, float]
    """How much other files matter to this one, by path; empty where that is not known yet."""

    @property
    def document(self) -> Document:
        return self.spot.document

    @property
    def position(self) -> Position:
        return self.spot.position

    @property
    def tree(self) -> Tree | None:
        return self.spot.tree

    @property
    def index(self) -> Index:
        return self.scenery.index
