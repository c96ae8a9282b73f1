"""Build the context of a completion: its shape, and the text around the cursor that fits the budget."""

from dataclasses import dataclass, replace

from heron.editor.context.budget import CHARACTERS_PER_TOKEN, Budget, cut_prefix, cut_suffix
from heron.editor.context.cursor import judge_cursor
from heron.editor.document import Document, Position
from heron.editor.syntax.gap import Gap, Shape, unify_line_ends
from heron.editor.syntax.languages import find_language
from heron.editor.syntax.tree import Tree


@dataclass(frozen=True, slots=True)
class Context:
    """What a completion is asked with. `prefix` and `suffix` have \\n as line ends and fit the budget.

    `stop` are strings after which nothing of the answer is kept, `reason` says why the shape is what it is,
    and `gap` is what `postprocess` judges the answer by.
    """

    prefix: str
    suffix: str
    shape: Shape
    stop: tuple[str, ...]
    reason: str
    gap: Gap


def build_context(document: Document, position: Position, tree: Tree | None, budget: Budget) -> Context:
    """The context at a position. `tree` must be of the same document version, or None."""
    position = document.position(document.offset(position))
    gap = Gap(document, position, find_language(document.language, document.uri), tree, "none")
    judgement = judge_cursor(gap)
    gap = replace(gap, shape=judgement.shape)
    stop = ("\n",) if judgement.shape == "line" and gap.line_suffix.strip() else ()
    prefix, suffix = _cut_prefix(gap, budget), _cut_suffix(gap, budget)
    return Context(prefix, suffix, judgement.shape, stop, judgement.reason, gap)


def _cut_prefix(gap: Gap, budget: Budget) -> str:
    """Cut by characters first, so that a huge document costs no more than a small one."""
    document = gap.document
    earliest = max(0, gap.offset - budget.prefix_tokens * CHARACTERS_PER_TOKEN)
    first = document.position(earliest)
    line = first.line if first.column == 0 or first.line == gap.position.line else first.line + 1
    start = max(earliest, document.line_starts[line]) if line <= gap.position.line else earliest
    return cut_prefix(unify_line_ends(document.text[start : gap.offset]), line, budget)


def _cut_suffix(gap: Gap, budget: Budget) -> str:
    text = gap.document.text[gap.offset : gap.offset + budget.suffix_tokens * CHARACTERS_PER_TOKEN]
    return cut_suffix(unify_line_ends(text), budget)
