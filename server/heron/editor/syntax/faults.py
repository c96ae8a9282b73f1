"""Errors in a syntax tree, counted."""

from tree_sitter import Node

from heron.editor.syntax.tree import Tree


def count_faults(tree: Tree) -> int:
    """Nodes that the grammar could not read or had to make up."""
    count, waiting = 0, [tree.syntax.root_node]
    while waiting:
        node = waiting.pop()
        count += node.is_error or node.is_missing
        if node.has_error:
            waiting.extend(child for child in node.children if _is_faulty(child))
    return count


def _is_faulty(node: Node) -> bool:
    return node.has_error or node.is_error or node.is_missing
