"""Where an action was asked for: a document, the selection, what is wrong there, and the syntax around it."""

from dataclasses import dataclass
from functools import cached_property

from heron.editor.diagnostic import Diagnostic
from heron.editor.document import Document, Range
from heron.editor.syntax.languages import Language, find_language
from heron.editor.syntax.signatures import Definition, find_definition
from heron.editor.syntax.tree import Tree


@dataclass(frozen=True)
class Spot:
    """A selection (empty: a cursor) in a frozen document. `tree` is None for a language without grammar."""

    document: Document
    selection: Range
    tree: Tree | None
    diagnostics: tuple[Diagnostic, ...] = ()

    @cached_property
    def language(self) -> Language | None:
        return find_language(self.document.language, self.document.uri)

    @cached_property
    def definition(self) -> Definition | None:
        """The innermost function or class around the start of the selection; of the line's text, on white space.

        A cursor behind the last character of a line is taken for one on it: it may end the definition.
        """
        if self.tree is None:
            return None
        start = self.selection.start
        line = self.document.line(start.line)
        indent = len(line) - len(line.lstrip())
        last = max(indent, len(line.rstrip()) - 1)
        column = min(max(start.column, indent), last)
        place = self.document.position(self.document.line_starts[start.line] + column)
        return find_definition(self.tree, place)

    @property
    def selected_text(self) -> str:
        return self.document.text[self.document.offset(self.selection.start) : self.document.offset(self.selection.end)]

    @property
    def newline(self) -> str:
        """The line end of the document."""
        return "\r\n" if "\r\n" in self.document.text else "\n"
