"""Where a definition's documentation stands: a docstring first in its body, or comments directly above it."""

from tree_sitter import Node

from heron.editor.document import Range
from heron.editor.syntax.tree import Tree

_COMMENTS = frozenset(("comment", "line_comment", "block_comment"))
_ATTACHED = frozenset(("attribute_item", "decorator", "marker_annotation"))
"""Siblings above a definition that belong to it; documentation stands above them."""


def first_line_node(whole: Node) -> Node:
    """The first of a definition and the attributes above it."""
    first = whole
    while (above := first.prev_named_sibling) is not None and above.type in _ATTACHED:
        first = above
    return first


def find_documentation(tree: Tree, whole: Node, body: Node | None) -> Range | None:
    """The range of the documentation of a definition, without a line end behind it; None if it has none."""
    if tree.language.name == "python":
        return _docstring(tree, body)
    comments: list[Node] = []
    below = first_line_node(whole)
    while (above := below.prev_named_sibling) is not None and _is_documentation(tree, above, below):
        comments.insert(0, above)
        below = above
    if not comments:
        return None
    start, end = tree.range_of(comments[0]).start, _content_end(tree, comments[-1])
    return Range(start, tree.position_at(end))


def _docstring(tree: Tree, body: Node | None) -> Range | None:
    first = body.named_children[0] if body is not None and body.named_children else None
    string = (
        first.named_children[0] if first and first.type == "expression_statement" and first.named_children else None
    )
    return tree.range_of(string) if string is not None and string.type == "string" else None


def _is_documentation(tree: Tree, node: Node, below: Node) -> bool:
    """A comment of the language's documentation form that ends on the line above `below`."""
    if node.type not in _COMMENTS or _last_row(node) + 1 != below.start_point[0] or not _begins_line(tree, node):
        return False
    text = tree.bytes_of(node).decode("utf-8", "replace")
    match tree.language.name:
        case "rust":
            return text.startswith(("///", "/**")) and not text.startswith("////")
        case "go" | "c" | "cpp" | "ruby" | "lua" | "bash":
            return not text.startswith(("//go:", "#!", "// +build"))
        case _:
            return text.startswith(("/**", "///"))


def _begins_line(tree: Tree, node: Node) -> bool:
    start = tree.source.rfind(b"\n", 0, node.start_byte) + 1
    return not tree.source[start : node.start_byte].strip()


def _last_row(node: Node) -> int:
    row, column = node.end_point
    return row - 1 if column == 0 and row > node.start_point[0] else row


def _content_end(tree: Tree, node: Node) -> int:
    """The end of a comment; Rust's grammar counts the line end to it."""
    text = tree.bytes_of(node)
    return node.end_byte - (len(text) - len(text.rstrip(b"\r\n")))
