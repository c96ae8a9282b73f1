"""Simplify a function or a selection: Python, by rules that keep what the code does. No model takes part.

Asked to simplify, a model of 0.5B writes out what was there (22 of 24 functions that could be simplified) or leaves
code out, which is shorter too. `heron/edit` and `/refactor` ask a model all the same.
"""

from collections.abc import Iterable

from heron.editor.features.actions.action import Action, Choice, Offer
from heron.editor.features.actions.proposal import Proposal, change_document
from heron.editor.features.actions.rewrite import Lines, enclosing_lines
from heron.editor.features.actions.simpler import find_simpler, simplify
from heron.editor.features.actions.spot import Spot
from heron.editor.features.actions.verify import find_fault
from heron.editor.features.actions.writer import Writer
from heron.errors import EditRefused

_MOST_LINES = 400
"""Of a definition: a menu has to be quick."""


def offer_simplification(spot: Spot) -> Iterable[Offer]:
    """Offered only where there is something to say more simply."""
    is_selection = spot.selection.start != spot.selection.end
    if spot.language is None or spot.language.name != "python" or not (is_selection or spot.definition):
        return
    lines, region = enclosing_lines(spot), _region(spot)
    if region.last - region.first < _MOST_LINES and _find(region, lines):
        name = "the selection" if is_selection or spot.definition is None else spot.definition.name
        yield Offer(f"Simplify {name}", "refactor.rewrite", needs_model=False)


async def propose_simplification(choice: Choice, writer: Writer) -> Proposal:
    """All that can be said more simply, at once. Raises EditRefused where there is nothing."""
    spot = choice.spot
    lines, region = enclosing_lines(spot), _region(spot)
    simpler = simplify(region.text.split("\n"), lines.first - region.first, lines.last - region.first)
    edits = region.replaced("\n".join(simpler))
    if fault := find_fault(spot.tree, edits) if spot.tree else "":
        raise EditRefused(fault)
    return change_document(spot.document, "Simplify", edits)


def _region(spot: Spot) -> Lines:
    """The definition around, whose other lines tell who uses a name; what is selected outside of any."""
    lines = enclosing_lines(spot)
    place = spot.definition.range if spot.definition else None
    if place is None or not place.start.line <= lines.first <= lines.last <= place.end.line:
        return lines
    return Lines(spot.document, place.start.line, place.end.line)


def _find(region: Lines, lines: Lines) -> bool:
    return find_simpler(region.text.split("\n"), lines.first - region.first, lines.last - region.first) is not None


SIMPLIFY = Action("simplify", "refactor.rewrite", offer_simplification, propose_simplification)
