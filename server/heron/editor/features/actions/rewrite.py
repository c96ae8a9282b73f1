"""Have the model rewrite lines of a document; only what parses in its place and changes something is taken."""

from collections.abc import Callable
from dataclasses import dataclass

from heron.editor.client.chat_ask import ChatAsk
from heron.editor.document import Document, Edit, Position, Range
from heron.editor.features.actions.proposal import Proposal, change_document
from heron.editor.features.actions.spot import Spot
from heron.editor.features.actions.verify import find_fault
from heron.editor.features.actions.writer import Writer
from heron.editor.postprocess.minimal_edits import minimal_edits
from heron.editor.postprocess.rewritten import clean_rewritten, leaves_out
from heron.editor.prompt.edit import answer_tokens, ask_rewrite
from heron.editor.syntax.gap import unify_line_ends
from heron.editor.workspace.redact import redact
from heron.errors import EditRefused

MAX_LINES = 120
MAX_CHARACTERS = 4_000


@dataclass(frozen=True, slots=True)
class Lines:
    """Whole lines of a document, from `first` to `last`, both included."""

    document: Document
    first: int
    last: int

    @property
    def text(self) -> str:
        """With \\n as the line end, none behind the last."""
        return "\n".join(self.document.line(number) for number in range(self.first, self.last + 1))

    @property
    def range(self) -> Range:
        return Range(Position(self.first, 0), Position(self.last, len(self.document.line(self.last))))

    @property
    def fits(self) -> bool:
        """Whether a small model can be expected to write them anew."""
        return self.last - self.first < MAX_LINES and len(self.text) <= MAX_CHARACTERS

    def replaced(self, text: str) -> tuple[Edit, ...]:
        """The fewest edits that put a text, with \\n as its line end, in the place of the lines."""
        newline = "\r\n" if "\r\n" in self.document.text else "\n"
        whole = self.document.edited([Edit(self.range, unify_line_ends(text).replace("\n", newline))])
        return minimal_edits(self.document, whole.text)


@dataclass(frozen=True, slots=True)
class Task:
    """What to do with which lines. `judge` may find fault with a rewriting that parses: why, or nothing."""

    label: str
    instruction: str
    lines: Lines
    judge: Callable[[str], str] = lambda text: ""


def enclosing_lines(spot: Spot) -> Lines:
    """The lines of the selection, or of the innermost definition around a cursor; of its line outside any."""
    start, end = spot.selection.start, spot.selection.end
    if start != end:
        last = end.line - 1 if end.column == 0 and end.line > start.line else end.line
        return Lines(spot.document, start.line, last)
    place = spot.definition.range if spot.definition else spot.selection
    return Lines(spot.document, place.start.line, place.end.line)


async def rewrite(spot: Spot, task: Task, writer: Writer) -> Proposal:
    """The rewriting as minimal edits. Asked once more with the fault of the first, then EditRefused."""
    if not task.lines.fits:
        raise EditRefused(
            f"It is too long: at most {MAX_LINES} lines and {MAX_CHARACTERS} characters can be rewritten."
        )
    if redact(task.lines.text) != task.lines.text:
        raise EditRefused("It holds what looks like a secret, which the model is not shown.")
    fault = ""
    for _ in range(2):
        text = await _ask(spot, task, fault, writer)
        edits = task.lines.replaced(text)
        fault = _find_fault(spot, task, text, edits)
        if not fault:
            return change_document(spot.document, task.label, edits)
    raise EditRefused(f"The model's answer was not usable: {fault}")


async def _ask(spot: Spot, task: Task, refused: str, writer: Writer) -> str:
    original = task.lines.text
    language = spot.language.name if spot.language else spot.document.language
    margin = len(original) - len(original.lstrip(" \t"))
    code = "\n".join(line[margin:] if not line[:margin].strip() else line for line in original.split("\n"))
    messages = ask_rewrite(language, code, task.instruction, refused)
    return clean_rewritten(await writer.answer(ChatAsk(messages, max_tokens=answer_tokens(code))), original)


def _find_fault(spot: Spot, task: Task, text: str, edits: tuple[Edit, ...]) -> str:
    if not edits:
        return "Nothing changed."
    if leaves_out(text, task.lines.text):
        return "It leaves code out."
    return task.judge(text) or (find_fault(spot.tree, edits) if spot.tree else "")
