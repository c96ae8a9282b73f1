"""Python expressions: which are booleans, how one is negated, which need parentheses where they are put."""

import ast
from collections.abc import Callable, Mapping
from types import MappingProxyType

_BOOLEAN_CALLS = frozenset(("isinstance", "issubclass", "callable", "hasattr", "any", "all", "bool"))
_BOOLEAN_METHODS = frozenset(("startswith", "endswith", "isdigit", "isalpha", "isspace", "isidentifier", "issubset"))
_OPPOSITES: Mapping[type[ast.cmpop], str] = MappingProxyType(
    {ast.Eq: "!=", ast.NotEq: "==", ast.In: "not in", ast.NotIn: "in", ast.Is: "is not", ast.IsNot: "is"}
)
"""Not `<` and its like: of values that cannot be ordered neither one nor its opposite holds."""


def holds_bool(node: ast.expr) -> bool:
    """Whether an expression is True or False, not only true or false."""
    match node:
        case ast.Compare() | ast.UnaryOp(ast.Not()) | ast.Constant(True | False):
            return True
        case ast.BoolOp(values=values):
            return all(map(holds_bool, values))
        case ast.Call(ast.Name(name)):
            return name in _BOOLEAN_CALLS
        case ast.Call(ast.Attribute(attr=name)):
            return name in _BOOLEAN_METHODS
    return False


def negate(node: ast.expr, segment: Callable[[ast.AST], str]) -> str:
    """The text of what is True where `node` is false, and else False; empty where it cannot be said on one line."""
    match node:
        case ast.UnaryOp(ast.Not(), inner):
            return segment(inner) if holds_bool(inner) else _call("bool", segment(inner))
        case ast.Compare(left, [operator], [right]) if type(operator) in _OPPOSITES:
            parts = [segment(left), segment(right)]
            is_plain = all(parts) and not needs_parentheses(left) and not needs_parentheses(right)
            return f"{parts[0]} {_OPPOSITES[type(operator)]} {parts[1]}" if is_plain else ""
    text = segment(node)
    return text and (f"not ({text})" if isinstance(node, ast.BoolOp) or is_weak(node) else f"not {text}")


def is_weak(node: ast.expr) -> bool:
    """Whether an expression binds so weakly that it needs parentheses in any other, or in a comprehension."""
    return isinstance(
        node, ast.IfExp | ast.Lambda | ast.NamedExpr | ast.Yield | ast.YieldFrom | ast.Starred | ast.Tuple
    )


def needs_parentheses(node: ast.expr) -> bool:
    """Whether an expression needs parentheses beside a comparison."""
    return is_weak(node) or isinstance(node, ast.BoolOp | ast.Compare | ast.UnaryOp)


def _call(name: str, text: str) -> str:
    return text and f"{name}({text})"
