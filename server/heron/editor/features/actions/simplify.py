"""Simplify a function or a selection."""

from collections.abc import Iterable

from heron.editor.features.actions.action import Action, Choice, Offer
from heron.editor.features.actions.proposal import Proposal
from heron.editor.features.actions.rewrite import Task, enclosing_lines, rewrite
from heron.editor.features.actions.spot import Spot
from heron.editor.features.actions.writer import Writer

_LEAST_LINES = 4
_INSTRUCTION = "Simplify this code. Keep its behaviour, its name and its parameters."


def offer_simplification(spot: Spot) -> Iterable[Offer]:
    """Offered for a function or selection of some lines that a model can rewrite."""
    lines = enclosing_lines(spot)
    is_selection = spot.selection.start != spot.selection.end
    is_function = spot.definition is not None and spot.definition.kind == "function"
    if spot.tree is None or not lines.fits or lines.last - lines.first + 1 < _LEAST_LINES:
        return
    if is_selection or is_function:
        name = "the selection" if is_selection or spot.definition is None else spot.definition.name
        yield Offer(f"Simplify {name}", "refactor.rewrite")


async def propose_simplification(choice: Choice, writer: Writer) -> Proposal:
    """A rewriting that is shorter and keeps the header."""
    lines = enclosing_lines(choice.spot)

    def judge(text: str) -> str:
        header = lines.text.strip().partition("\n")[0].strip()
        if header not in text:
            return "It changes the first line."
        return "" if len(text.split()) < len(lines.text.split()) else "It is no shorter than before."

    task = Task("Simplify", _INSTRUCTION, lines, judge)
    return await rewrite(choice.spot, task, writer)


SIMPLIFY = Action("simplify", "refactor.rewrite", offer_simplification, propose_simplification)
