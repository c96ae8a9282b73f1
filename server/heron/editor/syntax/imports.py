"""What a document imports: `grammars/<lang>/imports.scm`, answered as plain data.

In `imports.scm` a match has `@import`, the whole statement, and one of: `@module` with an optional `@name` and
`@alias`; `@path`, whose last part is the name; `@tree`, a nested list of paths that is read here.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from tree_sitter import Node, QueryCursor

from heron.editor.document import Position, Range
from heron.editor.syntax.tree import Tree, load_query

MAX_TREE_DEPTH = 16
ALL = "*"
SHALLOW = 5
"""Nodes above an import: those of a module, of a class and of its method. Deeper ones cost ten times the time."""
NEAR_LINES = 60

_PUNCTUATION = re.compile(r"\s*(::|[{},]|\bas\b)\s*")
_PHP_WORDS = re.compile(r"^use\s+(?:function\s+|const\s+)?|;\s*$")


@dataclass(frozen=True, slots=True)
class Import:
    """An import of a module, or of names out of it; `*` as a name stands for all of them.

    `alias` is the local name of the module, or of the one name; empty where both are called the same.
    """

    module: str
    names: tuple[str, ...]
    alias: str
    range: Range


def read_imports(tree: Tree, within: Range | None = None) -> tuple[Import, ...]:
    """The imports of a document, or those that touch a range of it, in order.

    Names taken from one module by one statement without alias are together.
    """
    cursor = _cursor(tree)
    if cursor is not None and within is not None:
        cursor.set_byte_range(tree.byte_at(within.start), tree.byte_at(within.end))
    return tuple(_join(_find(tree, cursor))) if cursor is not None else ()


def read_imports_at(tree: Tree, position: Position) -> tuple[Import, ...]:
    """The imports that a cursor can use: those not deep inside of other code, and those around it, however deep."""
    shallow, near = _cursor(tree), _cursor(tree)
    if shallow is None or near is None:
        return ()
    shallow.set_max_start_depth(SHALLOW)
    first = Position(max(0, position.line - NEAR_LINES), 0)
    near.set_byte_range(tree.byte_at(first), tree.byte_at(Position(position.line + NEAR_LINES, 0)))
    found = dict.fromkeys([*_find(tree, shallow), *_find(tree, near)])
    return tuple(_join(sorted(found, key=lambda one: one.range)))


def _cursor(tree: Tree) -> QueryCursor | None:
    query = load_query(tree.language, "imports")
    return QueryCursor(query) if query is not None else None


def _find(tree: Tree, cursor: QueryCursor) -> list[Import]:
    """One import for each match of the query, in order."""
    found: list[Import] = []
    ranges: dict[int, Range] = {}  # a statement that imports many names matches once for each
    for _, captures in cursor.matches(tree.syntax.root_node):
        node = captures["import"][0]
        range_ = ranges.get(node.id) or ranges.setdefault(node.id, tree.range_of(node))
        found += [Import(module, names, alias, range_) for module, names, alias in _read(tree, captures)]
    return sorted(found, key=lambda one: one.range)


Triple = tuple[str, tuple[str, ...], str]


def _read(tree: Tree, captures: dict[str, list[Node]]) -> Iterator[Triple]:
    if "tree" in captures:
        yield from _expand(_text(tree, captures["tree"][0]))
    elif "path" in captures:
        yield _split(_text(tree, captures["path"][0]), ".")
    elif "module" in captures:
        alias = _text(tree, captures["alias"][0]) if "alias" in captures else ""
        for module in captures["module"]:
            names = tuple(dict.fromkeys(_name(tree, node) for node in captures.get("name", ())))
            yield _unquote(_text(tree, module)), names, alias


def _name(tree: Tree, node: Node) -> str:
    """A namespace, a dot or a star imports all there is."""
    text = _unquote(_text(tree, node))
    return ALL if node.type in ("wildcard_import", "namespace_import", "asterisk", "dot", "*") else text


def _split(path: str, separator: str) -> Triple:
    module, _, name = path.rpartition(separator)
    return (module, (name,), "") if module else (name, (), "")


def _expand(text: str) -> Iterator[Triple]:
    """The paths of Rust's `a::{b, c as d}` and of PHP's `use A\\{B, C as D};`."""
    plain = _PHP_WORDS.sub("", text.strip()).replace("\\", "::")
    words = [word for word in _PUNCTUATION.split(plain) if word]
    for path, alias in _walk(words, 0, "", 0)[0]:
        module, names, _ = _split(path, "::")
        if names == ("self",):
            module, names, _ = _split(module, "::")
        yield module, names, alias


def _walk(words: list[str], at: int, above: str, depth: int) -> tuple[list[tuple[str, str]], int]:
    """Paths with their aliases up to the brace that closes this level, and where to go on."""
    found: list[tuple[str, str]] = []
    path, alias = "", ""
    while at < len(words) and words[at] != "}":
        word = words[at]
        if word == "{" and depth < MAX_TREE_DEPTH:
            inner, at = _walk(words, at + 1, above + path, depth + 1)
            found, path = found + inner, ""
        elif word == ",":
            found, path, alias = found + _one(above, path, alias), "", ""
        elif word == "as" and at + 1 < len(words):
            at += 1
            alias = words[at]
        else:
            path += word
        at += 1
    return found + _one(above, path, alias), at


def _one(above: str, path: str, alias: str) -> list[tuple[str, str]]:
    return [(above + path.removeprefix("::") if above else path.removeprefix("::"), alias)] if path else []


def _join(found: Iterable[Import]) -> Iterator[Import]:
    """Imports of one statement and module as one, where none has an alias."""
    last: Import | None = None
    for one in found:
        if last is not None and _belong_together(last, one):
            last = replace(last, names=tuple(dict.fromkeys((*last.names, *one.names))))
            continue
        if last is not None:
            yield last
        last = one
    if last is not None:
        yield last


def _belong_together(one: Import, other: Import) -> bool:
    is_plain = one.names and other.names and not (one.alias or other.alias)
    return bool(is_plain) and (one.module, one.range) == (other.module, other.range)


def _unquote(text: str) -> str:
    return text.strip("\"'`") if text[:1] in "\"'`" else text.removeprefix("<").removesuffix(">")


def _text(tree: Tree, node: Node) -> str:
    return tree.bytes_of(node)[:4000].decode("utf-8", "replace").strip()
