"""All actions of one editor: what is offered at a place, and what comes of a choice."""

from dataclasses import dataclass, field

from heron.editor.diagnostic import Diagnostic
from heron.editor.document import Document, Range
from heron.editor.features.actions.action import Action, Choice, Offer
from heron.editor.features.actions.add_types import ADD_TYPES
from heron.editor.features.actions.complete_todo import TODO
from heron.editor.features.actions.document_it import DOCUMENT
from heron.editor.features.actions.explain import EXPLAIN
from heron.editor.features.actions.extract import EXTRACT
from heron.editor.features.actions.fix import FIX
from heron.editor.features.actions.proposal import Proposal
from heron.editor.features.actions.rename import RENAME
from heron.editor.features.actions.simplify import SIMPLIFY
from heron.editor.features.actions.spot import Spot
from heron.editor.features.actions.translate import TRANSLATE
from heron.editor.features.actions.write_tests import TESTS
from heron.editor.features.actions.writer import Writer
from heron.editor.syntax.tree import Tree, parse
from heron.errors import InvalidRequest

ACTIONS: tuple[Action, ...] = (
    *(FIX, DOCUMENT, TODO, ADD_TYPES, TESTS, SIMPLIFY),
    *(EXTRACT, RENAME, TRANSLATE, EXPLAIN),
)
"""In the order of the menu."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An offer with the name of its action."""

    action: str
    offer: Offer


@dataclass(slots=True)
class Actions:
    """Keeps the last tree of each document, so that a menu costs a query and not a parse."""

    _trees: dict[str, Tree] = field(default_factory=dict)

    def list(self, spot: Spot, only: tuple[str, ...] = (), automatic: bool = False) -> tuple[Entry, ...]:
        """What can be done at a spot. `only` are kinds, each with all below it; none means all.

        An editor asks automatically as the cursor moves: then there is only what mends a diagnostic, what concerns a
        selection, or the definition whose header the cursor is in.
        """
        entries = [Entry(action.name, offer) for action in ACTIONS for offer in action.offer(spot)]
        quiet = automatic and not _is_pointed(spot)
        return tuple(
            entry
            for entry in entries
            if (not only or any(is_of_kind(entry.offer.kind, kind) for kind in only))
            and (not quiet or entry.offer.kind == "quickfix")
        )

    async def propose(self, name: str, choice: Choice, writer: Writer) -> Proposal:
        """The edits of a choice. Raises a HeronError; EditRefused if nothing good came of it."""
        action = next((action for action in ACTIONS if action.name == name), None)
        if action is None:
            known = ", ".join(action.name for action in ACTIONS)
            raise InvalidRequest(f"Unknown action {name!r}.", param="action", hint=f"There are: {known}.")
        return await action.propose(choice, writer)

    def spot(self, document: Document, selection: Range, diagnostics: tuple[Diagnostic, ...] = ()) -> Spot:
        """A place in a document with its syntax."""
        tree = self._trees.get(document.uri)
        if tree is None or tree.document is not document:
            tree = parse(document, tree)
        if tree is not None:
            self._trees[document.uri] = tree
        return Spot(document, selection, tree, diagnostics)

    def forget(self, uri: str) -> None:
        """Drop what is kept of a document that was closed."""
        self._trees.pop(uri, None)


def _is_pointed(spot: Spot) -> bool:
    """Whether something is selected, or the cursor is in the header of a definition."""
    start, definition = spot.selection.start, spot.definition
    in_header = definition is not None and definition.first_line.start.line <= start.line <= definition.header_end.line
    return in_header or spot.selection.end != start


def is_of_kind(kind: str, wanted: str) -> bool:
    """Whether a kind is `wanted` or below it; LSP 3.18, "CodeActionKind": the empty kind is above all."""
    return not wanted or kind == wanted or kind.startswith(f"{wanted}.")
