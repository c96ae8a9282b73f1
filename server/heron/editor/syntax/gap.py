"""The gap a completion fills: a cursor and what surrounds it, read once, shared by all that judges an insertion."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

from heron.editor.document import Document, Position
from heron.editor.syntax.languages import Language
from heron.editor.syntax.lexical import PAIRS, Bracket, Inside, Reading, read_text
from heron.editor.syntax.tree import Tree

Shape = Literal["line", "block", "none"]

READ_CHARACTERS = 12_000  # how far before the cursor brackets are read
FOLLOWING_CHARACTERS = 12_000
TRIED_LINES = 64
_BORDER = re.compile(r"\n[ \t]*\r?\n(?=[^\s)\]}])")


@dataclass(frozen=True)
class Gap:
    """A cursor in a document, and the shape of what may be inserted there. Texts have \\n as their line end."""

    document: Document
    position: Position
    language: Language | None
    tree: Tree | None
    shape: Shape

    @cached_property
    def offset(self) -> int:
        return self.document.offset(self.position)

    @cached_property
    def line_prefix(self) -> str:
        """The cursor's line up to the cursor."""
        return self.document.text[self.document.line_starts[self._line] : self.offset]

    @cached_property
    def line_suffix(self) -> str:
        """The cursor's line from the cursor on."""
        return self.document.line(self._line)[len(self.line_prefix) :]

    @cached_property
    def preceding(self) -> str:
        """Text before the cursor, at most `READ_CHARACTERS`, begun where code begins as far as can be told."""
        start = self._reading_start() if self.offset > READ_CHARACTERS else 0
        return unify_line_ends(self.document.text[start : self.offset])

    @cached_property
    def following(self) -> str:
        """Text after the cursor, at most `FOLLOWING_CHARACTERS`."""
        return unify_line_ends(self.document.text[self.offset : self.offset + FOLLOWING_CHARACTERS])

    @cached_property
    def next_lines(self) -> tuple[str, ...]:
        """The lines below the cursor's, without trailing white space."""
        return tuple(line.rstrip() for line in self.following.split("\n")[1:])

    @cached_property
    def previous_lines(self) -> tuple[str, ...]:
        """The lines above the cursor's, nearest last, without trailing white space."""
        return tuple(line.rstrip() for line in self.preceding.split("\n")[:-1])

    @cached_property
    def reading(self) -> Reading:
        """The text before the cursor, read for brackets and quotes."""
        return read_text(self.preceding, self.language)

    @cached_property
    def inside(self) -> Inside:
        """Whether the cursor is in code, a string or a comment: by the tree, by the text where the tree is broken."""
        if self.language is None:
            return "code"
        by_tree = self.tree.inside(self.position) if self.tree else "code"
        if by_tree == "comment" and not self.line_prefix.strip() and self.reading.ends == "code":
            return "code"  # some grammars count the line end to a comment
        if self.tree and (by_tree != "code" or not self.tree.has_error):
            return by_tree
        return self.reading.ends

    @property
    def quote(self) -> str:
        """What closes the string or block comment the cursor is in; empty in code."""
        return self.reading.quote if self.inside != "code" else ""

    @cached_property
    def closable(self) -> str:
        """Closers, innermost first, of brackets open at the cursor that the text after it leaves open."""
        after = read_text(self.following, self.language, self.quote)
        return _closable(self.preceding, self.reading.open, self.following, after.unmatched)

    @cached_property
    def opens_block(self) -> bool:
        """Whether the cursor stands at the end of a line after which an indented body is expected."""
        is_end = not self.line_suffix.strip() and expects_body(self.line_prefix, self.language)
        return is_end and not (self.language and self.language.block == "indent" and self.reading.open)

    @cached_property
    def is_awaited(self) -> bool:
        """Whether the text below has closers to spare: someone rewrites what opened them."""
        after = read_text(self.following, self.language, self.quote).unmatched
        return len(after) > len(self.reading.open)

    @property
    def newline(self) -> str:
        """The line end used in this document."""
        starts = self.document.line_starts
        end = starts[self._line + 1] if self._line + 1 < len(starts) else starts[self._line]
        return "\r\n" if self.document.text[max(0, end - 2) : end] == "\r\n" else "\n"

    @cached_property
    def indent_unit(self) -> str:
        """One step of indentation: the cursor line's or most lines' tab, a usual step, the language's own.

        Where several steps are about as usual, it is the language's, else the least of them.
        """
        indents = self._indents
        by_tab = sum(1 if indent[0] == "\t" else -1 for indent in indents if indent)
        if self.line_prefix.startswith("\t") or (by_tab > 0 and not self.line_prefix.startswith(" ")):
            return "\t"
        steps = Counter(len(after) - len(before) for before, after in pairwise(indents))
        inward = {step: count for step, count in steps.items() if step > 1}
        usual = [step for step, count in inward.items() if 2 * count >= max(inward.values())]
        own = self.language.indent if self.language else "    "
        return own if not usual or len(own) in usual else " " * min(usual)

    @property
    def _indents(self) -> list[str]:
        """Indentation of the lines around that have text and do not begin inside a string or comment."""
        within = _begun_within(self.preceding, self.reading.plain)
        above = [line for number, line in enumerate(self.previous_lines) if line.strip() and number not in within]
        after = read_text(self.following, self.language, self.quote)
        within = _begun_within(self.following, after.plain)
        below = [line for number, line in enumerate(self.next_lines, 1) if line.strip() and number not in within]
        return [indent_of(line) for line in (*above[-200:], self.line_prefix, *below)]

    def _reading_start(self) -> int:
        """Where code begins again: by the tree, else after a blank line at the margin; the cursor's line at last."""
        earliest = self.offset - READ_CHARACTERS
        if self.tree is None:
            border = _BORDER.search(self.document.text, earliest, self.offset)
            return border.end() if border else earliest
        starts = self.document.line_starts
        first = self.document.position(earliest).line + 1
        for line in range(first, min(first + TRIED_LINES, self._line)):
            if self.tree.inside(Position(line, 0)) == "code":
                return starts[line]
        return max(earliest, starts[self._line])

    @property
    def _line(self) -> int:
        return max(0, min(self.position.line, self.document.num_lines - 1))


def _begun_within(text: str, plain: tuple[tuple[int, int], ...]) -> set[int]:
    """Numbers of the lines that begin inside a string or comment; `plain` has their offsets."""
    within: set[int] = set()
    for start, end in plain:
        if num_lines := text.count("\n", start, end):
            first = text.count("\n", 0, start) + 1
            within.update(range(first, first + num_lines))
    return within


def unify_line_ends(text: str) -> str:
    """The text with every line end as \\n."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def indent_of(line: str) -> str:
    """Leading spaces and tabs of a line."""
    return line[: len(line) - len(line.lstrip(" \t"))]


def width_of(indent: str) -> int:
    """Columns of an indentation; a tab reaches the next multiple of four."""
    return len(indent.expandtabs(4))


def expects_body(line: str, language: Language | None) -> bool:
    """Whether an indented body is expected after a line."""
    if language is None:
        return False
    plain = read_text(line, language).plain
    code = line[: plain[-1][0]] if plain and plain[-1][1] == len(line) else line
    return language.block_openers.search(code.strip()) is not None


def _closable(before: str, open_brackets: tuple[Bracket, ...], after: str, unmatched: tuple[Bracket, ...]) -> str:
    """What may be closed: brackets open before the cursor, inside the one that the text after it closes first.

    A closer that begins its line belongs to the innermost open bracket whose line has the same indentation:
    brackets opened deeper than that are open because someone is typing.
    """
    kept = -1
    if unmatched:
        match = _opener_of(unmatched[0], open_brackets, before, after)
        kept = -1 if match is None else match
    return "".join(PAIRS[bracket.char] for bracket in reversed(open_brackets[kept + 1 :]))


def _opener_of(closer: Bracket, open_brackets: tuple[Bracket, ...], before: str, after: str) -> int | None:
    same_kind = [index for index, bracket in enumerate(open_brackets) if PAIRS[bracket.char] == closer.char]
    line_start = after.rfind("\n", 0, closer.offset) + 1
    lead = after[line_start : closer.offset]
    if line_start and not lead.strip(" \t"):
        aligned = [index for index in same_kind if _line_indent(before, open_brackets[index].offset) == lead]
        same_kind = aligned or same_kind
    return same_kind[-1] if same_kind else None


def _line_indent(text: str, offset: int) -> str:
    return indent_of(text[text.rfind("\n", 0, offset) + 1 : offset + 1])
