"""Fix a diagnostic: by name where the code itself knows better, else the line anew, else the definition anew."""

from collections.abc import Awaitable, Callable, Iterable

from heron.editor.diagnostic import Diagnostic
from heron.editor.document import Edit, Position, Range
from heron.editor.features.actions.action import Action, Choice, Offer
from heron.editor.features.actions.explain import shorten
from heron.editor.features.actions.known_fixes import find_known_fix
from heron.editor.features.actions.proposal import Proposal, change_document
from heron.editor.features.actions.rewrite import Lines, Task, rewrite
from heron.editor.features.actions.spot import Spot
from heron.editor.features.actions.verify import find_fault
from heron.editor.features.actions.writer import Hole, Writer
from heron.editor.prompt.edit import fix_instruction
from heron.editor.syntax.gap import indent_of
from heron.editor.syntax.signatures import find_definition
from heron.errors import EditRefused

_BEFORE_CHARACTERS = 3_000
_AFTER_CHARACTERS = 1_200
_MAX_TOKENS = 64

Strategy = Callable[[Spot, Diagnostic, Writer], Awaitable[Proposal]]


def offer_fix(spot: Spot) -> Iterable[Offer]:
    """One for each error or warning; preferred only where no model is needed."""
    for number, diagnostic in enumerate(spot.diagnostics):
        if spot.tree is not None and diagnostic.severity in ("error", "warning"):
            known = find_known_fix(spot, diagnostic)
            title = known.label if known else f"Fix: {shorten(diagnostic.message)}"
            yield Offer(title, "quickfix", number, preferred=known is not None, needs_model=known is None)


async def propose_fix(choice: Choice, writer: Writer) -> Proposal:
    """The first fix that parses and changes something."""
    spot = choice.spot
    if not spot.diagnostics or spot.tree is None:
        raise EditRefused("There is nothing to fix here.")
    diagnostic = spot.diagnostics[0]
    if known := find_known_fix(spot, diagnostic):
        return known
    reasons = []
    for strategy in STRATEGIES:
        try:
            return await strategy(spot, diagnostic, writer)
        except EditRefused as error:
            reasons.append(error.message)
    raise EditRefused(reasons[-1])


async def rewrite_definition(spot: Spot, diagnostic: Diagnostic, writer: Writer) -> Proposal:
    """The definition around the diagnostic, or its line, rewritten with the message told."""
    document = spot.document
    around = find_definition(spot.tree, diagnostic.range.start) if spot.tree else None
    place = around.range if around else diagnostic.range
    instruction = fix_instruction(diagnostic.message, document.line(diagnostic.range.start.line))
    lines = Lines(document, place.start.line, place.end.line)

    def judge(text: str) -> str:
        return "" if around is None or around.name in text else f"It lost {around.name}."

    return await rewrite(spot, Task(_label(diagnostic), instruction, lines, judge), writer)


async def refill_line(spot: Spot, diagnostic: Diagnostic, writer: Writer) -> Proposal:
    """The line of the diagnostic as the model would have written it between the lines around it."""
    document, number = spot.document, diagnostic.range.start.line
    line = document.line(number)
    around = find_definition(spot.tree, Position(number, len(line))) if spot.tree else None
    if around is not None and around.name_range.start.line == number:
        raise EditRefused("The message is about the whole definition.")
    indent = indent_of(line)
    start = document.offset(Position(number, len(indent)))
    end = document.offset(Position(number, len(line)))
    prefix = document.text[max(0, start - _BEFORE_CHARACTERS) : start]
    hole = Hole(prefix, document.text[end : end + _AFTER_CHARACTERS], _MAX_TOKENS, ("\n",))
    text = (await writer.fill(hole)).strip()
    edit = Edit(Range(Position(number, len(indent)), Position(number, len(line))), text)
    if not text or text == line.strip():
        raise EditRefused("The model would write the line as it is.")
    if spot.tree is not None and (fault := find_fault(spot.tree, [edit])):
        raise EditRefused(f"The model's line was not usable: {fault}")
    return change_document(document, _label(diagnostic), (edit,))


def _label(diagnostic: Diagnostic) -> str:
    return f"Fix: {shorten(diagnostic.message)}"


STRATEGIES: tuple[Strategy, ...] = (refill_line, rewrite_definition)
FIX = Action("fix", "quickfix", offer_fix, propose_fix)
