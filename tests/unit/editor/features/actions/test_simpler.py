"""Simplifying Python by rules: what is left alone, and that what is changed does the same."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.editor.features.actions.simpler import simplify

LEFT_ALONE = {
    "a comment would be lost": "if a:\n    return True  # because\nreturn False",
    "a comment would move": "if a:\n    # why\n    if b:\n        c()",
    "a string of several lines would be changed": 'if a:\n    return 1\nelse:\n    return """x\n  y"""',
    "elif belongs to its if": "if a:\n    return 1\nelif b:\n    return 2\nelse:\n    c()",
    "a branch that does not leave": "if a:\n    b()\nelse:\n    c()",
    "one if with an else": "if a:\n    if b:\n        c()\n    else:\n        d()",
    "or binds weaker than and": "if a or b:\n    if c:\n        d()",
    "the variable is used elsewhere": "x = f()\nprint(lambda: x)\nx = g()\nreturn x",
    "the variable is another's": "global x\nx = f()\nreturn x",
    "the loop's variable is used later": "ys = []\nfor x in xs:\n    ys.append(x)\nprint(x)",
    "the list is looked at": "ys = []\nfor x in xs:\n    ys.append(x + len(ys))",
    "a class body": "class A:\n    ys = []\n    for x in xs:\n        ys.append(x)",
    "a long line": "if a:\n    x = {}\nelse:\n    x = {}".format("b" * 60, "c" * 60),
    "different variables": "if a:\n    x = 1\nelse:\n    y = 2",
    "awaiting": "ys = []\nfor x in xs:\n    ys.append(await x)",
    "the same answer twice": "if a:\n    return True\nreturn True",
    "two statements in a line": "if a: return True\nreturn False; b()",
    "no Python": "if a then b",
}


def simpler(text: str) -> str:
    lines = text.split("\n")
    return "\n".join(simplify(lines, 0, len(lines) - 1))


@pytest.mark.parametrize("text", LEFT_ALONE.values(), ids=LEFT_ALONE.keys())
def test_what_cannot_be_said_more_simply_is_left_alone(text: str) -> None:
    assert simpler(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("if a:\n    return True\nreturn False", "return bool(a)"),
        ("if not a:\n    return True\nreturn False", "return not a"),
        ("if not a:\n    return False\nreturn True", "return bool(a)"),
        ("if a < b:\n    return False\nreturn True", "return not a < b"),
        ("if (a or b) == c:\n    return False\nreturn True", "if (a or b) == c:\n    return False\nreturn True"),
        ("for a in b:\n    if a:\n        return False\nreturn True", "return not any(a for a in b)"),
        ("x = f(a)\nreturn x", "return f(a)"),
        ("if a:\n    return 1\nelse:\n    if b:\n        c()", "if a:\n    return 1\nif b:\n    c()"),
        ("  if a:\n      if b:\n          c()\n          d()", "  if a and b:\n      c()\n      d()"),
        ("if é == 'ü':\n    return True\nelse:\n    return False", "return é == 'ü'"),
    ],
)
def test_what_is_said_instead(text: str, expected: str) -> None:
    assert simpler(text) == expected


def test_only_chosen_lines_are_touched() -> None:
    lines = ["x = f()", "if a:", "    return True", "return False"]
    assert simplify(lines, 0, 0) == tuple(lines)
    assert simplify(lines, 1, 3) == ("x = f()", "return bool(a)")


CONDITIONS = st.sampled_from(["a", "not a", "a > b", "a == b", "b in (1, 2)", "a and b", "a or not b", "not (a and b)"])
VALUES = st.sampled_from(["True", "False", "a", "b + 1", "(a, b)"])


@st.composite
def statements(draw: st.DrawFn, depth: int = 0) -> list[str]:
    """Lines of a function body that ends by returning something."""
    lines: list[str] = []
    for _ in range(draw(st.integers(0, 2))):
        kind = draw(st.sampled_from(["if", "assign", "loop"] if depth < 3 else ["assign"]))
        test, one, two = draw(CONDITIONS), draw(VALUES), draw(VALUES)
        if kind == "if":
            inner = [f"    {line}" for line in draw(statements(depth + 1))]
            lines += [f"if {test}:", *inner]
            if draw(st.booleans()):
                lines += ["else:", *(f"    {line}" for line in draw(statements(depth + 1)))]
        elif kind == "assign":
            lines += [f"if {test}:", f"    c = {one}", "else:", f"    c = {two}", "log.append(c)"]
        else:
            lines += ["d = []", "for e in (a, b, 3):", f"    if {test}:", "        d.append(e)", "log.append(d)"]
    return [*lines, f"return {draw(VALUES)}"]


def run(lines: list[str], a: int, b: int) -> object:
    log: list[object] = []
    space: dict[str, object] = {"log": log}
    exec("\n".join(["def f(a, b):", *(f"    {line}" for line in lines)]), space)
    function = space["f"]
    assert callable(function)
    return function(a, b), log


@given(statements(), st.integers(-1, 2), st.integers(-1, 2))
def test_a_simplified_function_does_what_it_did(lines: list[str], a: int, b: int) -> None:
    after = list(simplify(lines, 0, len(lines) - 1))
    ast.parse("\n".join(after))
    assert run(after, a, b) == run(lines, a, b)
