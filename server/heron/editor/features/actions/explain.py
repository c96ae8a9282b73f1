"""Explain code or a diagnostic: a turn of the chat, begun by the command `heron.explain`."""

from collections.abc import Iterable

from heron.editor.features.actions.action import Action, Choice, Offer
from heron.editor.features.actions.proposal import Proposal
from heron.editor.features.actions.spot import Spot
from heron.editor.features.actions.writer import Writer
from heron.errors import EditRefused

COMMAND = "heron.explain"
_MAX_TITLE = 60


def offer_explanation(spot: Spot) -> Iterable[Offer]:
    """One for each diagnostic, and one for what is selected or the definition around the cursor."""
    for number, diagnostic in enumerate(spot.diagnostics):
        detail = {"message": f"Explain this message and how to mend it: {diagnostic.message}"}
        yield Offer(f"Explain: {shorten(diagnostic.message)}", "quickfix", number, detail=detail, command=COMMAND)
    if spot.selection.start != spot.selection.end:
        yield Offer("Explain the selection", "", command=COMMAND)
    elif spot.definition is not None:
        detail = {"message": f"Explain `{spot.definition.name}`."}
        yield Offer(f"Explain {spot.definition.name}", "", detail=detail, command=COMMAND)


async def refuse_explanation(choice: Choice, writer: Writer) -> Proposal:
    raise EditRefused("An explanation changes nothing; it is asked for by the command heron.explain.")


def shorten(text: str) -> str:
    """A message as part of a title: one line, not long."""
    line = " ".join(text.split())
    return line if len(line) <= _MAX_TITLE else line[: _MAX_TITLE - 1].rstrip() + "…"


EXPLAIN = Action("explain", "", offer_explanation, refuse_explanation)
