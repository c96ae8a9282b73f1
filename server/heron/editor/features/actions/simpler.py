"""Python that can be said more simply: found by its syntax, and said, without a model.

Each rule keeps what the code does. One that cannot be sure (a comment would be lost, a string or an expression goes
over several lines, the line would be too long) finds nothing.
"""

import ast
import io
import tokenize
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from heron.editor.features.actions.simpler_terms import holds_bool, is_weak, negate

MAX_LINE = 100
Block = Sequence[ast.stmt]
_LEAVING = (ast.Return, ast.Raise, ast.Continue, ast.Break)


@dataclass(frozen=True, slots=True)
class Simpler:
    """Lines from `first` to `last`, from 0 and both included, and what takes their place."""

    first: int
    last: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Python code by lines. `comments` are lines that hold one, `texts` those that begin inside a string."""

    lines: tuple[str, ...]
    blocks: tuple[Block, ...]
    names: tuple[str, ...]
    comments: frozenset[int]
    texts: frozenset[int]

    def segment(self, node: ast.AST) -> str:
        """An expression's text without parentheses around it; empty if it goes over several lines."""
        first, last = _lines_of(node)
        if first != last:
            return ""
        line = self.lines[first].encode()
        return line[getattr(node, "col_offset", 0) : getattr(node, "end_col_offset", 0)].decode()

    def indent(self, statement: ast.stmt) -> str:
        return self.lines[statement.lineno - 1].encode()[: statement.col_offset].decode()

    def is_plain(self, first: int, last: int) -> bool:
        """Whether lines hold neither comments nor strings of several lines."""
        touched = range(first, last + 1)
        return self.comments.isdisjoint(touched) and self.texts.isdisjoint(touched)

    def replace(self, first: ast.stmt, last: ast.stmt, text: str) -> Simpler | None:
        """One line for some statements that stand on lines of their own."""
        start, end = first.lineno - 1, (last.end_lineno or last.lineno) - 1
        line = self.indent(first) + text
        alone = not self.indent(first).strip() and self.lines[end].encode()[last.end_col_offset :].strip() == b""
        fits = alone and text and len(line) <= MAX_LINE and self.is_plain(start, end)
        return Simpler(start, end, (line,)) if fits else None


def simplify(region: Sequence[str], first: int, last: int) -> tuple[str, ...]:
    """Lines of Python, those from `first` to `last` (from 0, both included) said as simply as the rules can.

    A region is whole statements, a definition for one, so that it is seen who else uses a name.
    """
    lines = list(region)
    while found := find_simpler(lines, first, last):
        lines[found.first : found.last + 1] = found.lines
        last += len(found.lines) - (found.last - found.first + 1)
    return tuple(lines)


def find_simpler(region: Sequence[str], first: int, last: int) -> Simpler | None:
    """The first thing between two lines of a region that can be said more simply."""
    is_indented = region[0][:1].isspace()
    found = _find("\n".join(["if 1:" if is_indented else "pass", *region]), first + 1, last + 1)
    return found and Simpler(found.first - 1, found.last - 1, found.lines)


def _find(text: str, first: int, last: int) -> Simpler | None:
    code = _read(text)
    if code is None:
        return None
    found = (
        rule(code, block, number)
        for block in code.blocks
        for number, statement in enumerate(block)
        if first <= statement.lineno - 1 and (statement.end_lineno or 0) - 1 <= last
        for rule in RULES
    )
    return next((one for one in found if one and first <= one.first and one.last <= last), None)


def _read(text: str) -> Code | None:
    """The code; None where Python cannot read it."""
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(text)
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError):
        return None
    comments = frozenset(token.start[0] - 1 for token in tokens if token.type == tokenize.COMMENT)
    texts = (range(token.start[0], token.end[0]) for token in tokens if token.type == tokenize.STRING)
    # A comprehension in a class body would not see the class's own names.
    nodes = (node for node in ast.walk(tree) if not isinstance(node, ast.ClassDef))
    blocks = tuple(block for node in nodes for block in _blocks_of(node))
    return Code(
        tuple(text.split("\n")),
        blocks,
        tuple(_names(tree)),
        comments,
        frozenset(line for span in texts for line in span),
    )


def _blocks_of(node: ast.AST) -> Iterator[Block]:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
            yield block


def _return_condition(code: Code, block: Block, number: int) -> Simpler | None:
    """`if a: return True`, then or else `return False`: return the condition."""
    one = block[number]
    if not isinstance(one, ast.If) or len(one.body) != 1:
        return None
    after = one.orelse if one.orelse else block[number + 1 : number + 2]
    values = [_returned_bool(one.body[0]), _returned_bool(after[0]) if len(after) == 1 else None]
    if sorted(map(str, values)) != ["False", "True"]:
        return None
    test = code.segment(one.test)
    positive = test if holds_bool(one.test) else f"bool({test})"
    said = positive if values[0] else negate(one.test, code.segment)
    return code.replace(one, after[0], f"return {said}" if test and said else "")


def _returned_bool(statement: ast.stmt) -> bool | None:
    value = statement.value if isinstance(statement, ast.Return) else None
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, bool) else None


def _return_any(code: Code, block: Block, number: int) -> Simpler | None:
    """`for x in xs: if a: return True`, then `return False`: any, or for the opposite not any."""
    loop = block[number]
    if not isinstance(loop, ast.For) or loop.orelse or len(loop.body) != 1 or number + 1 == len(block):
        return None
    inner, after = loop.body[0], block[number + 1]
    if not isinstance(inner, ast.If) or inner.orelse or len(inner.body) != 1 or _has_await(loop):
        return None
    values = (_returned_bool(inner.body[0]), _returned_bool(after))
    parts = [code.segment(part) for part in (inner.test, loop.target, loop.iter)]
    if None in values or values[0] == values[1] or not all(parts) or is_weak(loop.iter) or is_weak(inner.test):
        return None
    said = f"any({parts[0]} for {parts[1]} in {parts[2]})"
    return code.replace(loop, after, f"return {said}" if values[0] else f"return not {said}")


def _build_list(code: Code, block: Block, number: int) -> Simpler | None:
    """`ys = []`, then `for x in xs: ys.append(x)`: a comprehension."""
    loop = block[number]
    if not number or not isinstance(loop, ast.For) or loop.orelse or len(loop.body) != 1 or _has_await(loop):
        return None
    inner, only_if = loop.body[0], ""
    if isinstance(inner, ast.If) and not inner.orelse and len(inner.body) == 1:
        only_if = code.segment(inner.test)
        if not only_if or is_weak(inner.test):
            return None
        inner = inner.body[0]
    name, item = _appended(inner)
    if item is None or _empty_list(block[number - 1]) != name or _names(loop).count(name) != 1:
        return None
    if any(code.names.count(target) != _names(loop).count(target) for target in _names(loop.target)):
        return None  # the loop's variable is used elsewhere
    parts = [code.segment(part) for part in (item, loop.target, loop.iter)]
    if not all(parts) or is_weak(item) or is_weak(loop.iter):
        return None
    condition = f" if {only_if}" if only_if else ""
    return code.replace(block[number - 1], loop, f"{name} = [{parts[0]} for {parts[1]} in {parts[2]}{condition}]")


def _appended(statement: ast.stmt) -> tuple[str, ast.expr | None]:
    """Name and item of `name.append(item)`."""
    match statement:
        case ast.Expr(ast.Call(ast.Attribute(ast.Name(name), "append"), [item], [])) if item is not None:
            return (name, None) if isinstance(item, ast.Starred) else (name, item)
    return "", None


def _empty_list(statement: ast.stmt) -> str:
    match statement:
        case ast.Assign([ast.Name(name)], ast.List([])):
            return name
    return ""


def _return_value(code: Code, block: Block, number: int) -> Simpler | None:
    """`x = f()`, then `return x`: return the value."""
    match block[number : number + 2]:
        case [ast.Assign([ast.Name(name)], value) as one, ast.Return(ast.Name(again)) as two] if name == again:
            shared = any(name in node.names for node in _walk_statements(code) if isinstance(node, _SHARING))
            text = code.segment(value)
            return None if shared or code.names.count(name) != 2 else code.replace(one, two, text and f"return {text}")
    return None


_SHARING = (ast.Global, ast.Nonlocal)


def _join_conditions(code: Code, block: Block, number: int) -> Simpler | None:
    """`if a: if b:` and no else: one `if`."""
    one = block[number]
    if not isinstance(one, ast.If) or one.orelse or len(one.body) != 1 or not isinstance(one.body[0], ast.If):
        return None
    two, tests = one.body[0], [one.test, one.body[0].test]
    inner = range(two.body[0].lineno - 1, _lines_of(one)[1] + 1)
    body = _dedented(code, inner, len(code.indent(two)) - len(code.indent(one)))
    parts = [code.segment(test) for test in tests]
    is_or = any(isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or) for test in tests)
    if two.orelse or body is None or not all(parts) or is_or or any(map(is_weak, tests)) or _is_elif(code, one):
        return None
    head = f"{code.indent(one)}if {parts[0]} and {parts[1]}:"
    start, end = one.lineno - 1, two.body[0].lineno - 1
    alone = two.lineno > one.lineno and two.body[0].lineno > two.lineno and code.is_plain(start, end - 1)
    return Simpler(start, _lines_of(one)[1], (head, *body)) if alone and len(head) <= MAX_LINE else None


def _remove_else(code: Code, block: Block, number: int) -> Simpler | None:
    """An `else` below a branch that leaves: what is in it comes next anyhow."""
    one = block[number]
    if not isinstance(one, ast.If) or not one.orelse or not isinstance(one.body[-1], _LEAVING) or _is_elif(code, one):
        return None
    between = range(_lines_of(one.body[-1])[1] + 1, one.orelse[0].lineno - 1)
    mark = next((line for line in between if code.lines[line].strip()), 0)
    if code.lines[mark].strip() != "else:":
        return None
    depth = len(code.indent(one.orelse[0])) - len(code.indent(one))
    body = _dedented(code, range(mark + 1, _lines_of(one)[1] + 1), depth)
    return None if body is None else Simpler(mark, _lines_of(one)[1], body)


def _assign_once(code: Code, block: Block, number: int) -> Simpler | None:
    """`if a: x = 1`, `else: x = 2`: one assignment."""
    match block[number]:
        case ast.If(test, [ast.Assign([ast.Name(name)], value)], [ast.Assign([ast.Name(other)], otherwise)]) as one if (
            name == other
        ):
            parts = [code.segment(part) for part in (value, test, otherwise)]
            if all(parts) and not any(map(is_weak, (value, test, otherwise))) and not _is_elif(code, one):
                return code.replace(one, one, f"{name} = {parts[0]} if {parts[1]} else {parts[2]}")
    return None


RULES: tuple[Callable[[Code, Block, int], Simpler | None], ...] = (
    *(_return_condition, _return_any, _build_list, _return_value, _join_conditions, _assign_once, _remove_else),
)


def _dedented(code: Code, numbers: range, depth: int) -> tuple[str, ...] | None:
    """Lines, so many columns to the left; None if they cannot all be moved."""
    lines = [code.lines[number] for number in numbers]
    can_move = depth > 0 and all(not line[:depth].strip() for line in lines) and code.texts.isdisjoint(numbers)
    return tuple(line[depth:] for line in lines) if can_move else None


def _is_elif(code: Code, statement: ast.stmt) -> bool:
    return code.lines[statement.lineno - 1].encode()[statement.col_offset :].startswith(b"elif")


def _walk_statements(code: Code) -> Iterator[ast.stmt]:
    return (statement for block in code.blocks for statement in block)


def _names(node: ast.AST) -> list[str]:
    return [inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)]


def _has_await(node: ast.AST) -> bool:
    return any(isinstance(inner, ast.Await | ast.Yield | ast.YieldFrom | ast.NamedExpr) for inner in ast.walk(node))


def _lines_of(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 1) - 1, (getattr(node, "end_lineno", 0) or 1) - 1
