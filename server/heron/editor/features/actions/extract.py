"""Extract selected statements into a function of their own."""

from collections.abc import Iterable

from heron.editor.features.actions.action import Action, Choice, Offer
from heron.editor.features.actions.proposal import Proposal
from heron.editor.features.actions.rewrite import Lines, Task, enclosing_lines, rewrite
from heron.editor.features.actions.spot import Spot
from heron.editor.features.actions.writer import Writer
from heron.editor.syntax.signatures import read_definitions
from heron.editor.syntax.tree import parse
from heron.errors import EditRefused

_LEAST_LINES = 2


def offer_extraction(spot: Spot) -> Iterable[Offer]:
    """Offered for selected lines within a function that a model can rewrite."""
    lines = _function_lines(spot)
    selected = enclosing_lines(spot)
    is_selection = spot.selection.start != spot.selection.end and selected.last - selected.first + 1 >= _LEAST_LINES
    if is_selection and lines is not None and lines.fits and selected.first > lines.first:
        yield Offer("Extract the selection into a function", "refactor.extract")


async def propose_extraction(choice: Choice, writer: Writer) -> Proposal:
    """The function around the selection, and the new one it calls."""
    spot, lines = choice.spot, _function_lines(choice.spot)
    if lines is None or spot.tree is None or spot.definition is None:
        raise EditRefused("There is no function around the selection.")
    selected = enclosing_lines(spot)
    instruction = f"Move these lines into a new function and call it in their place:\n{selected.text}"
    names = {item.name for item in read_definitions(spot.tree)}

    def judge(text: str) -> str:
        after = parse(spot.document.edited(lines.replaced(text)))
        new = [item.name for item in read_definitions(after)] if after else []
        if not names <= set(new):
            return "A function got lost."
        made = [name for name in new if name not in names]
        return "" if made and text.count(made[0]) > 1 else "There is no new function that is called."

    return await rewrite(spot, Task("Extract a function", instruction, lines, judge), writer)


def _function_lines(spot: Spot) -> Lines | None:
    definition = spot.definition
    if definition is None or definition.kind != "function":
        return None
    return Lines(spot.document, definition.range.start.line, definition.range.end.line)


EXTRACT = Action("extract", "refactor.extract", offer_extraction, propose_extraction)
