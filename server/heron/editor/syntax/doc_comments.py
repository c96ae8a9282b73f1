"""The comment or docstring that explains a definition, as plain text."""

import re

from tree_sitter import Node

from heron.editor.syntax.tree import Tree

MAX_DOC_CHARACTERS = 400
_MAX_COMMENTS = 40

_ABOVE = frozenset({"attribute_item", "attribute_list", "decorator", "marker_annotation", "annotation"})
"""What may stand between a definition and its comment."""
_WRAPPERS = frozenset(
    {
        *("export_statement", "decorated_definition", "template_declaration", "ambient_declaration", "assignment"),
        *("lexical_declaration", "variable_declaration", "type_declaration", "const_declaration", "var_declaration"),
        *("var_spec_list", "expression_statement", "assignment_statement", "variable_declarator", "declaration"),
        *("variable_list", "expression_list", "pair", "field_declaration", "property_declaration"),
    }
)
_LED = frozenset({"template_declaration", "decorated_definition"})
"""Wrappers in which something stands before the definition."""
_BLOCK = re.compile(r"^/\*+!?|\*+/$|^--\[=*\[|\]=*\]$|^=begin\b|^=end$|^<!--|-->$")
_MARK = re.compile(r"^[ \t]*(?:///?!?|#+!?|---?|\*(?!\*)|;+)[ \t]?", re.MULTILINE)
_QUOTES = re.compile(r'^[A-Za-z]{0,2}("""|\'\'\'|"|\')|("""|\'\'\'|"|\')$')
_XML = re.compile(r"</?(?:summary|remarks|para)/?>")


def read_doc(tree: Tree, node: Node, body: Node | None) -> str:
    """The first paragraph of a definition's docstring or of the comments right above it; empty without one."""
    text = _read_docstring(tree, body) if tree.language.name == "python" else ""
    return _first_paragraph(text or _read_comments(tree, _outermost(node)))


def _read_docstring(tree: Tree, body: Node | None) -> str:
    first = body.named_child(0) if body is not None and body.named_child_count else None
    if first is None or first.type != "expression_statement" or first.named_child_count != 1:
        return ""
    string = first.named_child(0)
    return _QUOTES.sub("", _text(tree, string)) if string is not None and string.type == "string" else ""


def _outermost(node: Node) -> Node:
    """A definition with what wraps it: an export, a decoration, a declaration of one name."""
    while node.parent is not None and node.parent.type in _WRAPPERS:
        if node.prev_named_sibling is not None and node.parent.type not in _LED:
            break
        node = node.parent
    return node


def _read_comments(tree: Tree, node: Node) -> str:
    """The comments that end on the line above, the one below the other, without their marks."""
    lines: list[str] = []
    below = node
    above = node.prev_sibling
    for _ in range(_MAX_COMMENTS):
        if above is None or below.start_point.row - above.end_point.row > 1:
            break
        if "comment" in above.type:
            if _shares_line(above):
                break
            lines.append(_clean(_text(tree, above)))
        elif above.type not in _ABOVE:
            break
        below, above = above, above.prev_sibling
    return "\n".join(reversed(lines))


def _shares_line(comment: Node) -> bool:
    """Whether a comment stands behind code, and so belongs to that."""
    before = comment.prev_sibling
    return before is not None and before.end_point.row == comment.start_point.row and before.end_point.column > 0


def _clean(comment: str) -> str:
    return _XML.sub("", _MARK.sub("", _BLOCK.sub("", _BLOCK.sub("", comment.strip())))).strip()


def _first_paragraph(text: str) -> str:
    lines: list[str] = []
    for line in text.strip().splitlines():
        stripped = line.strip()
        if lines and (not stripped or stripped.startswith(("@", ":param", "Args:", "\\param"))):
            break
        lines.append(stripped)
    return " ".join(lines).strip()[:MAX_DOC_CHARACTERS]


def _text(tree: Tree, node: Node) -> str:
    return tree.bytes_of(node)[: 8 * MAX_DOC_CHARACTERS].decode("utf-8", "replace")
