"""What a document defines and calls: `grammars/<lang>/tags.scm` and `calls.scm`, answered as plain data.

In `tags.scm` a match has `@name` and one of: `@definition.<kind>`; `@declarator`, for languages that wrap a name into
layers of declarators; `@scope`, which only holds others (an `impl`). `@container` names a container that does not
enclose the definition (a Go receiver), `@body` where a body begins that is not the node's own field `body`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, cast, get_args

from tree_sitter import Node, QueryCursor

from heron.editor.document import Range
from heron.editor.syntax.doc_comments import read_doc
from heron.editor.syntax.tree import Tree, load_query

Kind = Literal[
    "class",
    "interface",
    "struct",
    "enum",
    "trait",
    "type",
    "module",
    "function",
    "method",
    "constant",
    "variable",
    "field",
    "macro",
    "section",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
HOLDERS = frozenset({"class", "interface", "struct", "enum", "trait", "type"})
"""Kinds whose functions are methods."""
MAX_SIGNATURE_CHARACTERS = 240
MAX_NAME_CHARACTERS = 200
MAX_DEPTH = 200

_SPACE = re.compile(r"\s+")
_WORDS = re.compile(rb"[\w \t]*")
_ENDS = re.compile(r"\s*(?:[{;:]|=>?\s*\{?|;? end)\s*$")


@dataclass(frozen=True, slots=True)
class Tag:
    """A definition. `signature` is its head on one line, `container` the dotted names of what it lies in."""

    kind: Kind
    name: str
    range: Range
    name_range: Range
    signature: str
    container: str
    doc: str


@dataclass(frozen=True, slots=True)
class Call:
    """A name where it is called, applied or instantiated."""

    name: str
    range: Range


@dataclass(frozen=True, slots=True)
class _Match:
    """A definition as the query found it; `kind` is empty for a scope."""

    kind: str
    node: Node
    name: Node
    container: str
    body: Node | None


def read_tags(tree: Tree) -> tuple[Tag, ...]:
    """The definitions of a document in order; empty for a language without `tags.scm`."""
    query = load_query(tree.language, "tags")
    if query is None:
        return ()
    found: dict[int, tuple[int, _Match]] = {}
    for pattern, captures in QueryCursor(query).matches(tree.syntax.root_node):
        for match in _read_matches(tree, captures):
            # The same name may match several patterns; the one that stands first in the file says best what it is.
            before = found.setdefault(match.name.start_byte, (pattern, match))
            if pattern < before[0]:
                found[match.name.start_byte] = (pattern, match)
    matches = sorted((match for _, match in found.values()), key=lambda match: (match.node.start_byte, -_end(match)))
    return tuple(_contain(tree, matches))


def read_calls(tree: Tree, within: Range | None = None) -> tuple[Call, ...]:
    """The calls in a document, or those that touch a range of it, in order."""
    query = load_query(tree.language, "calls")
    if query is None:
        return ()
    cursor = QueryCursor(query)
    if within is not None:
        cursor.set_byte_range(tree.byte_at(within.start), max(tree.byte_at(within.end), tree.byte_at(within.start) + 1))
    nodes = {node.start_byte: node for node in cursor.captures(tree.syntax.root_node).get("name", [])}
    ordered = [nodes[start] for start in sorted(nodes)]
    return tuple(Call(_text(tree, node), tree.range_of(node)) for node in ordered)


def _read_matches(tree: Tree, captures: dict[str, list[Node]]) -> Iterator[_Match]:
    """One for each name: a statement may define several."""
    body = captures.get("body", [None])[0]
    container = _text(tree, captures["container"][0]) if "container" in captures else ""
    capture = next((name for name in captures if name in ("scope", "declarator") or name.startswith("definition.")), "")
    if not capture:
        return
    is_declarator = capture == "declarator"
    node = _declaration_of(captures[capture][0]) if is_declarator else captures[capture][0]
    kind = "function" if is_declarator else capture.partition(".")[2]
    if node is not None:
        yield from (_Match(kind, node, name, container, body) for name in captures.get("name", ()))


def _declaration_of(declarator: Node) -> Node | None:
    """The definition or declaration a declarator belongs to; None for one that makes a local variable."""
    node = declarator.parent
    while node is not None and node.type.endswith("declarator"):
        node = node.parent
    if node is None or node.type not in ("function_definition", "declaration", "field_declaration"):
        return None
    is_local = node.type == "declaration" and node.parent is not None and node.parent.type == "compound_statement"
    return None if is_local else node


def _contain(tree: Tree, matches: Iterable[_Match]) -> Iterator[Tag]:
    """Tags with the names of what they lie in; the matches are in order of their starts, outer ones first."""
    outer: list[tuple[int, str, str, int]] = []
    for match in matches:
        while outer and (outer[-1][0] <= match.node.start_byte or outer[-1][3] == match.node.id):
            outer.pop()
        container = match.container or ".".join(name for _, name, _, _ in outer)
        holder = outer[-1][2] if outer else ""
        name = _text(tree, match.name)
        if match.kind and name:
            kind = "method" if match.kind == "function" and (holder in HOLDERS or match.container) else match.kind
            yield _make_tag(tree, replace(match, kind=kind, container=container), name)
        if len(outer) < MAX_DEPTH:
            outer.append((_end(match), name, match.kind or "class", match.node.id))


def _make_tag(tree: Tree, match: _Match, name: str) -> Tag:
    return Tag(
        kind=cast(Kind, match.kind),
        name=name,
        range=tree.range_of(match.node),
        name_range=tree.range_of(match.name),
        signature=_read_signature(tree, match),
        container=_SPACE.sub("", match.container)[:MAX_NAME_CHARACTERS],
        doc=read_doc(tree, match.node, match.body or match.node.child_by_field_name("body")),
    )


def _read_signature(tree: Tree, match: _Match) -> str:
    """The definition up to its body, or its first line, on one line."""
    body = match.body or match.node.child_by_field_name("body")
    start = _line_start(tree, match.node)
    if body is not None and body.start_byte > match.name.start_byte:
        end = body.start_byte
    else:
        line_end = tree.source.find(b"\n", match.name.end_byte, match.node.end_byte)
        end = line_end if line_end >= 0 else match.node.end_byte
    text = tree.source[start : min(end, start + 4 * MAX_SIGNATURE_CHARACTERS)].decode("utf-8", "ignore")
    return _ENDS.sub("", _SPACE.sub(" ", text).strip())[:MAX_SIGNATURE_CHARACTERS]


def _line_start(tree: Tree, node: Node) -> int:
    """Where a node begins, with the words that lead its line: `export`, `type`, `const`."""
    start = tree.source.rfind(b"\n", 0, node.start_byte) + 1
    return start if _WORDS.fullmatch(tree.source, start, node.start_byte) else node.start_byte


def _text(tree: Tree, node: Node) -> str:
    text = tree.bytes_of(node)[: 4 * MAX_NAME_CHARACTERS].decode("utf-8", "replace")
    return text[:MAX_NAME_CHARACTERS].strip().lstrip(":")


def _end(match: _Match) -> int:
    return match.node.end_byte
