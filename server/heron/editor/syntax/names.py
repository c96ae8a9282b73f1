"""The names a document uses, outside of comments and strings, with the lines they stand on."""

import re
from collections.abc import Mapping
from functools import cache

from tree_sitter import QueryCursor

from heron.editor.syntax.languages import Language
from heron.editor.syntax.tree import Tree, load_grammar, load_query

MAX_NAME_CHARACTERS = 100
_NAME = re.compile(r"[^\W\d]\w+")
_NOT_NEWLINE = re.compile(rb"[^\n]")
_OWN = frozenset({"self", "this", "cls", "super"})


def read_names(tree: Tree) -> Mapping[str, tuple[int, ...]]:
    """Lines, from 0, on which each name stands: a line for each time. Keywords and one-letter names are left out."""
    found: dict[str, list[int]] = {}
    ignored = read_keywords(tree.language)
    for number, line in enumerate(_blank(tree).decode("utf-8", "replace").split("\n")):
        for name in _NAME.findall(line):
            if name not in ignored:
                found.setdefault(name, []).append(number)
    return {name: tuple(lines) for name, lines in found.items() if len(name) <= MAX_NAME_CHARACTERS}


@cache
def read_keywords(language: Language) -> frozenset[str]:
    """The words a grammar spells out itself."""
    query = load_query(language, "scopes")
    if query is None:
        return _OWN
    grammar = load_grammar(language.grammar)
    kinds = [id_ for id_ in range(grammar.node_kind_count) if not grammar.node_kind_is_named(id_)]
    return _OWN | {kind for id_ in kinds if (kind := grammar.node_kind_for_id(id_)) and _NAME.fullmatch(kind)}


def _blank(tree: Tree) -> bytes:
    """The source with comments and strings made blank; lines stay lines."""
    query = load_query(tree.language, "scopes")
    captures = QueryCursor(query).captures(tree.syntax.root_node) if query is not None else {}
    pieces, done = [], 0
    nodes = [*captures.get("comment", ()), *captures.get("string", ())]
    for start, end in sorted((node.start_byte, node.end_byte) for node in nodes):
        if start >= done:
            pieces += [tree.source[done:start], _NOT_NEWLINE.sub(b" ", tree.source[start:end])]
            done = end
    return b"".join([*pieces, tree.source[done:]])
