"""Whether a document still parses after edits: no new error in its tree, and Python by its own parser too."""

import ast
import warnings
from collections.abc import Iterable

from heron.editor.document import Document, Edit
from heron.editor.syntax.faults import count_faults
from heron.editor.syntax.tree import Tree, parse

MAX_CHARACTERS = 1_000_000


def find_fault(tree: Tree, edits: Iterable[Edit]) -> str:
    """Why the edited document is worse than it was, in a sentence; empty if it is not."""
    edited = tree.document.edited(edits)
    if edited.text == tree.document.text:
        return "Nothing changed."
    after = parse(edited, tree)
    if after is None:
        return "The edited document is too large to be checked."
    if after.has_error and count_faults(after) > count_faults(tree):
        return f"It is not valid {tree.language.name} in its place."
    if tree.language.name == "python" and not _python_fault(tree.document) and (fault := _python_fault(edited)):
        return f"It is not valid Python in its place: {fault}."
    return ""


def _python_fault(document: Document) -> str:
    """What Python's own parser says; it is newer than most code and stricter than the grammar."""
    if len(document.text) > MAX_CHARACTERS:
        return ""
    try:
        with warnings.catch_warnings(action="ignore"):
            ast.parse(document.text)
    except (SyntaxError, ValueError) as error:
        return str(getattr(error, "msg", error))
    except (RecursionError, MemoryError):
        return "it is nested too deeply"
    return ""
