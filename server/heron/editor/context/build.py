"""Build the context of a completion: its shape, and the text around the cursor that fits the budget."""

from dataclasses import dataclass, replace

from heron.editor.context.budget import CHARACTERS_PER_TOKEN, Budget, cut_prefix, cut_suffix
from heron.editor.context.cursor import judge_cursor
from heron.editor.context.header import import_lines, keep_last
from heron.editor.context.layout import join_suffix
from heron.editor.context.lead import find_lead
from heron.editor.document import Document, Position
from heron.editor.syntax.embedded import find_embedded
from heron.editor.syntax.gap import Gap, Shape, unify_line_ends
from heron.editor.syntax.languages import find_language
from heron.editor.syntax.tree import Tree, parse


@dataclass(frozen=True, slots=True)
class Context:
    """What a completion is asked with. `prefix` and `suffix` have \\n as line ends and fit the budget.

    Behind the text after the cursor `suffix` may show what is known of other files, as comments.

    `stop` are strings after which nothing of the answer is kept, `reason` says why the shape is what it is,
    and `gap` is what `postprocess` judges the answer by. `lead` is indentation that the document lacks at the cursor:
    `prefix` ends with it, and it belongs to the answer.
    """

    prefix: str
    suffix: str
    shape: Shape
    stop: tuple[str, ...]
    reason: str
    gap: Gap
    lead: str = ""


def build_context(
    document: Document, position: Position, tree: Tree | None, budget: Budget, beyond: str = ""
) -> Context:
    """The context at a position. `tree` must be of the same document version, or None; `beyond` shows other files.

    Inside a script or fence `gap`, by which an answer is judged, is that of the embedded code alone; a `tree` of that
    is taken too.
    """
    position = document.position(document.offset(position))
    code = find_embedded(document, position)
    if tree is None or tree.document is not code:
        tree = tree if code is document else parse(code)
    gap = Gap(code, position, find_language(code.language, code.uri), tree, "none")
    judgement = judge_cursor(gap)
    gap = replace(gap, shape=judgement.shape)
    stop = ("\n",) if judgement.shape == "line" and gap.line_suffix.strip() else ()
    outer = replace(gap, document=document)
    prefix, suffix = _prefix_with_imports(outer, budget), join_suffix(_cut_suffix(outer, budget), beyond)
    lead = find_lead(gap)
    return Context(prefix + lead, suffix, judgement.shape, stop, judgement.reason, gap, lead)


def _prefix_with_imports(gap: Gap, budget: Budget) -> str:
    """The text before the cursor; imports that do not fit with it stand in front, as far as their tokens go.

    They say which names there are, and stay the same while one types.
    """
    whole = _cut_prefix(gap, budget)
    start = gap.offset - len(whole)
    tree = gap.tree if start > 0 and budget.import_tokens > 0 else None
    imports = import_lines(tree, start) if tree is not None else ()
    head = keep_last(imports, budget.import_tokens, budget.count)
    if not head:
        return whole
    return head + _cut_prefix(gap, replace(budget, prefix_tokens=budget.prefix_tokens - budget.count(head)))


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
