"""Functions and classes as their code tells them: names, parameters, results, what they raise, their documentation.

Read by `grammars/<language>/signatures.scm`; languages without that query have no definitions here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from tree_sitter import Node, QueryCursor

from heron.editor.document import Position, Range
from heron.editor.syntax.documentation import find_documentation, first_line_node
from heron.editor.syntax.tree import Tree, load_query

Captures = dict[str, list[Node]]

_WRAPPERS = frozenset(
    {
        *("decorated_definition", "export_statement", "lexical_declaration", "variable_declaration"),
        *("ambient_declaration", "type_declaration", "expression_statement"),
    }
)
"""Nodes around a definition that belong to it: documentation stands before them."""
_RECEIVERS = frozenset(("self", "cls", "this"))


@dataclass(frozen=True, slots=True)
class Parameter:
    """`star` is what marks a parameter that takes many (`*`, `**`, `...`); empty texts where the code says nothing."""

    name: str
    type: str = ""
    default: str = ""
    star: str = ""
    end: Position = Position(0, 0)
    """Behind the name, where a type would go."""


@dataclass(frozen=True)
class Definition:
    """A function or class. Reading what is inside costs a query, so it is done when it is first asked for."""

    tree: Tree
    kind: Literal["function", "class"]
    name: str
    captures: Captures

    @cached_property
    def node(self) -> Node:
        return self.captures[self.kind][0]

    @cached_property
    def whole(self) -> Node:
        """The node with what is wrapped around it: decorators, `export`, `const … ;`."""
        node = self.node
        while node.parent is not None and node.parent.type in _WRAPPERS and not _is_shared(node.parent):
            node = node.parent
        return node

    @cached_property
    def range(self) -> Range:
        """The definition with its decorators or export."""
        return self.tree.range_of(self.whole)

    @cached_property
    def name_range(self) -> Range:
        return self.tree.range_of(self.captures["name"][0])

    @cached_property
    def body(self) -> Range | None:
        body = self.captures.get("body")
        return self.tree.range_of(body[0]) if body else None

    @cached_property
    def first_line(self) -> Range:
        """What documentation above the definition stands before: attributes and decorators beside it included."""
        return self.tree.range_of(first_line_node(self.whole))

    @cached_property
    def documentation(self) -> Range | None:
        """The documentation it has: a docstring in its body, or a documentation comment above it."""
        return find_documentation(self.tree, self.whole, self._body_node)

    @cached_property
    def header_end(self) -> Position:
        """After the last character before the body; the end of the definition without one."""
        if self._body_node is None:
            return self.range.end
        before = self._body_node.prev_sibling
        while before is not None and before.type == "comment":
            before = before.prev_sibling
        return self.tree.range_of(before).end if before else self.range.start

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """In order, without the receiver and without patterns that have no name."""
        found = [_parameter(self.tree, captures) for captures in self._inner if self._owns_parameter(captures)]
        return tuple(parameter for parameter in found if parameter.name and parameter.name not in _RECEIVERS)

    @cached_property
    def parameters_end(self) -> Position | None:
        """Behind the closing bracket of the parameters; None for a definition without any list of them."""
        parameters = self.captures.get("parameters")
        return self.tree.range_of(parameters[0]).end if parameters else None

    @property
    def returns(self) -> str:
        """The result's type as the code writes it; empty if it says none."""
        return _text(self.captures.get("returns")).lstrip(":").strip()

    @cached_property
    def returns_value(self) -> bool:
        """Whether a body returns something, where no type says so."""
        body = self._body_node
        is_expression = body is not None and self._function.type == "arrow_function" and body.type != "statement_block"
        return is_expression or bool(self._own("value"))

    @cached_property
    def yields(self) -> bool:
        return bool(self._own("yields"))

    @cached_property
    def raises(self) -> tuple[str, ...]:
        """Names of exceptions the body raises or the header declares, each once, in order."""
        return tuple(dict.fromkeys(_text([node]) for node in self._own("raises")))

    @cached_property
    def panics(self) -> bool:
        return bool(self._own("panics"))

    @cached_property
    def owner(self) -> str:
        """The name of the class around it; empty outside any."""
        around = self.node.parent
        while around is not None and not around.type.startswith(("class_d", "abstract_class_d", "record_d", "impl_")):
            around = around.parent
        name = around and (around.child_by_field_name("name") or around.child_by_field_name("type"))
        return _text([name]) if name else ""

    @cached_property
    def _inner(self) -> list[Captures]:
        return [found for found in _matches(self.tree, self.node.start_byte, self.node.end_byte) if "name" not in found]

    @property
    def _body_node(self) -> Node | None:
        return next(iter(self.captures.get("body", ())), None)

    @property
    def _function(self) -> Node:
        """The node that has the parameters: a variable's arrow function, not the variable."""
        parameters = self.captures.get("parameters")
        return (parameters[0].parent if parameters else None) or self.node

    def _owns_parameter(self, captures: Captures) -> bool:
        lists, own = captures.get("parameter.list"), self.captures.get("parameters")
        return bool(lists and own and lists[0].id == own[0].id)

    def _own(self, name: str) -> list[Node]:
        """Captured nodes of this function and not of one within it."""
        nodes = [node for captures in self._inner for node in captures.get(name, ())]
        return [node for node in nodes if _owner(node) == self._function]


def read_definitions(tree: Tree) -> tuple[Definition, ...]:
    """All functions and classes of a document, in order."""
    return tuple(_definitions(tree, _matches(tree, 0, len(tree.source))))


def find_definition(tree: Tree, position: Position) -> Definition | None:
    """The innermost function or class around a position."""
    offset = tree.byte_at(position)
    start, end = _wrapper_range(tree, offset)
    found = _definitions(tree, _matches(tree, start, end))
    around = [item for item in found if item.whole.start_byte <= offset <= item.whole.end_byte]
    return min(around, key=lambda item: item.whole.end_byte - item.whole.start_byte, default=None)


def _wrapper_range(tree: Tree, offset: int) -> tuple[int, int]:
    """The bytes to look for definitions in: of the decorators or export around an offset, else the offset alone."""
    node = tree.syntax.root_node.descendant_for_byte_range(offset, offset)
    while node is not None and node.type not in _WRAPPERS and not node.child_by_field_name("body"):
        node = node.parent
    return (node.start_byte, node.end_byte) if node is not None and node.type in _WRAPPERS else (offset, offset + 1)


def _definitions(tree: Tree, matches: Iterable[Captures]) -> list[Definition]:
    found: dict[int, Definition] = {}
    for captures in matches:
        kind: Literal["function", "class"] = "function" if "function" in captures else "class"
        if kind in captures:
            found.setdefault(captures[kind][0].id, Definition(tree, kind, _text(captures["name"]), captures))
    return sorted(found.values(), key=lambda item: item.node.start_byte)


def _matches(tree: Tree, start: int, end: int) -> list[Captures]:
    query = load_query(tree.language, "signatures")
    if query is None:
        return []
    cursor = QueryCursor(query)
    cursor.set_byte_range(start, end)
    return [captures for _, captures in cursor.matches(tree.syntax.root_node)]


def _parameter(tree: Tree, captures: Captures) -> Parameter:
    node = next(iter(captures.get("parameter.name", ())), None)
    name = _text([node]) if node else ""
    bare = name.lstrip("*.&")
    star = name[: len(name) - len(bare)].rstrip("&")
    return Parameter(
        bare if bare.isidentifier() or bare.startswith("$") else "",
        _text(captures.get("parameter.type")).lstrip(":").strip(),
        _text(captures.get("parameter.default")),
        star or ("..." if _takes_many(node) else ""),
        tree.range_of(node).end if node else Position(0, 0),
    )


def _takes_many(node: Node | None) -> bool:
    """Whether a parameter's name stands in Go's variadic or Java's spread parameter."""
    around = [node and node.parent, node and node.parent and node.parent.parent]
    return any(parent and parent.type.startswith(("variadic_", "spread_")) for parent in around)


def _owner(node: Node) -> Node | None:
    """The nearest function around a node: whatever has parameters."""
    around = node.parent if "parameters" not in node.type else node
    while around is not None and not any(around.child_by_field_name(name) for name in ("parameters", "parameter")):
        around = around.parent
    return around


def _is_shared(wrapper: Node) -> bool:
    """Whether a wrapper holds several definitions, as Go's `type ( … )` does."""
    return sum(child.type in ("type_spec", "variable_declarator") for child in wrapper.named_children) > 1


def _text(nodes: list[Node] | None) -> str:
    text = nodes[0].text if nodes else None
    return text.decode("utf-8", "replace") if text else ""
