"""Complete a TODO: what a comment announces, or what stands in for a body, is filled in like any hole."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from heron.editor.context.budget import Budget
from heron.editor.context.build import build_context
from heron.editor.context.estimate import estimate_tokens
from heron.editor.document import Document, Position
from heron.editor.features.actions.action import Action, Choice, Offer
from heron.editor.features.actions.proposal import Proposal, change_document
from heron.editor.features.actions.spot import Spot
from heron.editor.features.actions.verify import find_fault
from heron.editor.features.actions.writer import Hole, Writer
from heron.editor.postprocess.minimal_edits import minimal_edits
from heron.editor.postprocess.pipeline import finish, is_complete
from heron.editor.syntax.gap import indent_of
from heron.editor.syntax.tree import parse
from heron.errors import EditRefused

_TODO = re.compile(r"^\s*(?:#|//|--|/\*)\s*(?:TODO|FIXME|XXX)\b")
_BARE_TODO = re.compile(
    r"^\W*(?:TODO|FIXME|XXX)\b\W*(?:\([^)]*\)\W*)?(?:implement(?: (?:this|it|me))?|write this)?\W*$", re.I
)
"""One that says nothing but that something is to be done: it goes with the stub."""
_STUB = re.compile(
    r"^\s*(?:pass|\.\.\.|raise NotImplementedError(?:\(.*\))?|todo!\(.*\);?|unimplemented!\(.*\);?"
    r"|panic\(\"(?:TODO|not implemented|implement).*\"\)|throw new (?:Error|UnsupportedOperationException)\(.*\);?)\s*$"
)
_BUDGET = (1024, 256)
_MAX_TOKENS = 256


@dataclass(frozen=True, slots=True)
class Todo:
    """Lines to be replaced: a stub, or an empty place below a comment. `indent` is that of the code to come."""

    first: int
    last: int
    indent: str


def offer_todo(spot: Spot) -> Iterable[Offer]:
    """Offered on a line that is a TODO comment or a stub."""
    if spot.tree is not None and find_todo(spot.document, spot.selection.start.line) is not None:
        yield Offer("Complete this TODO", "refactor.rewrite")


def find_todo(document: Document, number: int) -> Todo | None:
    """The stub in a line, or the one below the TODO comment in it; `last` is before `first` where none is."""
    line = document.line(number)
    if _STUB.match(line):
        first = number - 1 if number and _BARE_TODO.match(document.line(number - 1)) else number
        return Todo(first, number, indent_of(line))
    if not _TODO.match(line):
        return None
    below = document.line(number + 1)
    has_stub = _STUB.match(below) is not None
    first = number if has_stub and _BARE_TODO.match(line) else number + 1
    return Todo(first, number + 1 if has_stub else number, indent_of(below if has_stub else line))


async def propose_todo(choice: Choice, writer: Writer) -> Proposal:
    """The code in the place of the stub, below the comment."""
    spot = choice.spot
    todo = find_todo(spot.document, spot.selection.start.line)
    if todo is None or spot.tree is None:
        raise EditRefused("There is no TODO here.")
    emptied, cursor = _empty(spot, todo)
    context = build_context(emptied, cursor, parse(emptied), Budget(*_BUDGET, estimate_tokens))
    hole = Hole(context.prefix, context.suffix, _MAX_TOKENS, context.stop, lambda text: is_complete(text, context))
    text = finish(await writer.fill(hole), context)
    if text is None or all(_STUB.match(line) or _TODO.match(line) for line in text.splitlines() if line.strip()):
        raise EditRefused("The model had no code for this TODO.")
    offset = emptied.offset(cursor)
    filled = emptied.text[:offset] + text + emptied.text[offset:]
    edits = minimal_edits(spot.document, filled)
    if fault := find_fault(spot.tree, edits):
        raise EditRefused(f"The model's code was not usable: {fault}")
    return change_document(spot.document, "Complete the TODO", edits)


def _empty(spot: Spot, todo: Todo) -> tuple[Document, Position]:
    """The document with a blank, indented line in the place of the stub, and the cursor on it."""
    document = spot.document
    start = document.offset(Position(todo.first, 0)) if todo.first < document.num_lines else len(document.text)
    end = start if todo.last < todo.first else document.offset(Position(todo.last, 1 << 20))
    blank = todo.indent if todo.last >= todo.first else todo.indent + spot.newline
    emptied = replace(document, text=document.text[:start] + blank + document.text[end:])
    return emptied, emptied.position(start + len(todo.indent))


TODO = Action("todo", "refactor.rewrite", offer_todo, propose_todo)
