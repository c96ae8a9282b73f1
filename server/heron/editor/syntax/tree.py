"""Syntax trees of documents. The only importer of tree_sitter; answers are plain data in code points.

Tree-sitter counts bytes of UTF-8, Heron code points: `Tree` converts at its border. Invalid code never raises, it
only yields errors in the tree.
"""

import importlib
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache, cached_property
from time import monotonic

from tree_sitter import Language as Grammar
from tree_sitter import Node, Parser, Query, QueryCursor
from tree_sitter import Tree as SyntaxTree

from heron.editor.document import Document, Position, Range
from heron.editor.syntax.languages import Language, find_language, read_query
from heron.editor.syntax.lexical import Inside

MAX_CHARACTERS = 2_000_000
MAX_LINE_CHARACTERS = 20_000
PARSE_BUDGET_S = 0.5
UNWATCHED_BYTES = 100_000
READ_BYTES = 65_536


@dataclass(frozen=True)
class Tree:
    """The syntax tree of one document version. `source` is the document's text in UTF-8."""

    document: Document
    language: Language
    source: bytes
    syntax: SyntaxTree

    @property
    def has_error(self) -> bool:
        return self.syntax.root_node.has_error

    def inside(self, position: Position) -> Inside:
        """Whether a position lies within a string or comment, their delimiters excluded where the tree shows them."""
        offset = self.byte_at(position)
        for start, end, kind in self._captured(offset, ("string", "comment")):
            unended = kind == "comment" and offset == end and not self._is_closed_comment(end)
            if start < offset < end or (start < offset and unended):
                return "comment" if kind == "comment" else "string"
        return "code"

    def definition_at(self, position: Position) -> Range | None:
        """The innermost definition (function, class, module part) around a position."""
        offset = self.byte_at(position)
        captured = self._captured(offset, ("definition",))
        found = [(end - start, start, end) for start, end, _ in captured if start < offset <= end]
        if not found:
            return None
        _, start, end = min(found)
        return Range(self.position_at(start), self.position_at(end))

    def breaks_at(self, position: Position) -> bool:
        """Whether the innermost definition around a position, or the whole text outside any, has an error."""
        offset = self.byte_at(position)
        node = self.syntax.root_node.descendant_for_byte_range(offset, offset)
        wanted = {(start, end) for start, end, _ in self._captured(offset, ("definition",))}
        while node is not None and node.parent is not None and (node.start_byte, node.end_byte) not in wanted:
            node = node.parent
        return node is not None and node.has_error

    def bytes_of(self, node: Node) -> bytes:
        """The text of a node of this tree, in UTF-8. `Node.text` reads 64 KiB for it where the text came in parts."""
        return self.source[node.start_byte : node.end_byte]

    def range_of(self, node: Node) -> Range:
        """Where a node of this tree lies."""
        return Range(self.position_at(node.start_byte), self.position_at(node.end_byte))

    def byte_at(self, position: Position) -> int:
        """Byte offset of a position."""
        offset = self.document.offset(position)
        if self._is_ascii:
            return offset
        line = self.document.position(offset).line
        before = self.document.text[self.document.line_starts[line] : offset]
        return self._byte_line_starts[line] + len(before.encode("utf-8", "replace"))

    def position_at(self, offset: int) -> Position:
        """Position of a byte offset."""
        if self._is_ascii:
            return self.document.position(offset)
        line = bisect_right(self._byte_line_starts, offset) - 1
        return Position(line, len(self.source[self._byte_line_starts[line] : offset].decode("utf-8", "ignore")))

    def _captured(self, offset: int, names: tuple[str, ...]) -> list[tuple[int, int, str]]:
        """Byte ranges and capture names of the scopes query at a byte offset."""
        query = load_query(self.language, "scopes")
        if query is None:
            return []
        cursor = QueryCursor(query)
        cursor.set_byte_range(max(0, offset - 1), offset + 1)
        captures = cursor.captures(self.syntax.root_node)
        return [(node.start_byte, node.end_byte, name) for name in names for node in captures.get(name, [])]

    def _is_closed_comment(self, end: int) -> bool:
        closer = self.language.block_comment[1].encode() if self.language.block_comment else b""
        return bool(closer) and self.source[:end].endswith(closer)

    @cached_property
    def _byte_line_starts(self) -> tuple[int, ...]:
        """Byte offset of the first character of each line. Latin-1 has one character for each byte."""
        return Document("", 0, "", self.source.decode("latin-1")).line_starts

    @cached_property
    def _is_ascii(self) -> bool:
        return len(self.source) == len(self.document.text)


def parse(document: Document, previous: Tree | None = None) -> Tree | None:
    """Parse a document, reusing the unchanged parts of an older version's tree.

    None for a language without grammar, a text too large or with too long lines, or one that takes longer than
    `PARSE_BUDGET_S`.
    """
    language = find_language(document.language, document.uri)
    if language is None or len(document.text) > MAX_CHARACTERS or _has_long_line(document.text):
        return None
    # Lone surrogates cannot be encoded; "replace" makes each one question mark, so columns keep their meaning.
    source = document.text.encode("utf-8", "replace")
    parser = Parser(load_grammar(language.grammar))
    old = _edited(previous, source) if previous is not None and previous.language is language else None
    syntax = _parse_source(parser, source, old)
    return Tree(document, language, source, syntax) if syntax is not None else None


@cache
def load_query(language: Language, kind: str) -> Query | None:
    """The compiled query `grammars/<language>/<kind>.scm`; None where the language has none."""
    text = read_query(language, kind)
    return Query(load_grammar(language.grammar), text) if text else None


def _parse_source(parser: Parser, source: bytes, old: SyntaxTree | None) -> SyntaxTree | None:
    """Parse within `PARSE_BUDGET_S`. Small texts are handed over whole: they need no watch."""
    if len(source) < UNWATCHED_BYTES:
        return parser.parse(source) if old is None else parser.parse(source, old)
    deadline = monotonic() + PARSE_BUDGET_S

    def read(offset: int, _: object) -> bytes:
        return source[offset : offset + READ_BYTES]

    def is_late(*_: object) -> bool:
        return monotonic() > deadline

    try:
        if old is None:
            return parser.parse(read, progress_callback=is_late)
        return parser.parse(read, old, progress_callback=is_late)
    except ValueError:  # how the binding reports a parse that was stopped
        return None


def _edited(previous: Tree, source: bytes) -> SyntaxTree:
    """The older tree, told what changed: the one range between the common head and tail of both texts."""
    before = previous.source
    start = _common_head(before, source)
    tail = _common_tail(before[start:], source[start:])
    old_end, new_end = len(before) - tail, len(source) - tail
    tree = previous.syntax.copy()
    points = (_point(before, start), _point(before, old_end), _point(source, new_end))
    tree.edit(start, old_end, new_end, *points)
    return tree


def _common_head(one: bytes, other: bytes) -> int:
    """Length of the longest common head, by bisection over slices (a byte loop would take milliseconds)."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _common_tail(one: bytes, other: bytes) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[len(one) - middle : len(one) - low] == other[len(other) - middle : len(other) - low]:
            low = middle
        else:
            high = middle - 1
    return low


def _point(source: bytes, offset: int) -> tuple[int, int]:
    return source.count(b"\n", 0, offset), offset - (source.rfind(b"\n", 0, offset) + 1)


def _has_long_line(text: str) -> bool:
    """Whether a line is longer than `MAX_LINE_CHARACTERS`; looks for line ends only where one has to be by then."""
    start = 0
    while start + MAX_LINE_CHARACTERS < len(text):
        end = start + MAX_LINE_CHARACTERS + 1
        found = max(text.rfind("\n", start, end), text.rfind("\r", start, end))
        if found < 0:
            return True
        start = found + 1
    return False


@cache
def load_grammar(grammar: str) -> Grammar:
    """The grammar named `module:function`; its wheel is imported at first use only."""
    module, _, function = grammar.partition(":")
    return Grammar(getattr(importlib.import_module(module), function)())
