"""A document that parses still parses after the completion, where cutting lines can see to that."""

from heron.editor.document import Document
from heron.editor.postprocess.dead_end import cut_dead_end
from heron.editor.postprocess.levels import cut_wrong_level
from heron.editor.postprocess.string_end import closes_string
from heron.editor.syntax.gap import Gap, expects_body, indent_of, width_of
from heron.editor.syntax.lexical import read_text
from heron.editor.syntax.tree import Tree, parse

MAX_TRIES = 13
MAX_CHARACTERS = 300_000


def cut_to_parse(text: str, gap: Gap) -> str:
    """Cut the fewest lines from the end so that what parses still does; drop a text that no cut mends."""
    tree = gap.tree
    if gap.shape != "block" or tree is None or len(gap.document.text) > MAX_CHARACTERS:
        return text
    if tree.breaks_at(gap.position):
        return text
    lines = text.split("\n")
    for count in range(len(lines), max(0, len(lines) - MAX_TRIES), -1):
        kept = cut_wrong_level(cut_dead_end("\n".join(lines[:count]).rstrip(), gap), gap)
        if kept.strip() and _parses(kept, gap, tree):
            return kept
    return ""


def drop_breaking_line(text: str, gap: Gap) -> str:
    """Drop a line that breaks what parsed without it, but for one that opens a block by a word and waits for more."""
    tree = gap.tree
    is_code = gap.language is not None and gap.language.is_code and (gap.inside == "code" or closes_string(text, gap))
    if gap.shape != "line" or not is_code or tree is None or len(gap.document.text) > MAX_CHARACTERS:
        return text
    last = (gap.line_prefix + text).rsplit("\n", 1)[-1]
    if expects_body(last, gap.language) and not read_text(last, gap.language).open:
        return "" if "\n" in text and _has_neighbour(last, gap) else text
    return text if tree.breaks_at(gap.position) or _parses(text, gap, tree) else ""


def _has_neighbour(opener: str, gap: Gap) -> bool:
    """Whether the very next line of the document stands where the body of an opener does not, so that it has none."""
    below = next(iter(gap.next_lines), "")
    is_beside = bool(below.strip()) and width_of(indent_of(below)) <= width_of(indent_of(opener))
    return is_beside and gap.language is not None and gap.language.block == "indent"


def _parses(text: str, gap: Gap, tree: Tree) -> bool:
    before, after = gap.document.text[: gap.offset], gap.document.text[gap.offset :]
    document = Document(gap.document.uri, gap.document.version, gap.document.language, before + text + after)
    filled = parse(document, tree)
    if filled is None:
        return False
    return not filled.has_error if not tree.has_error else not filled.breaks_at(gap.position)
