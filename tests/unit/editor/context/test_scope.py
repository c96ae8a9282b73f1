import pytest

from heron.editor.context.scope import Scope, read_scope
from heron.editor.document import Document
from heron.editor.syntax.tree import parse


def scope_at(marked: str, language: str = "python") -> Scope:
    document = Document("file:///a", 1, language, marked.replace("│", ""))
    return read_scope(document, document.position(marked.index("│")), parse(document))


def test_names_are_those_of_the_definition_around_nearest_first() -> None:
    function = "def total(basket):\n    first(basket)\n    # said in words\n    x = │\n    last()\n"
    text = f"def other():\n    unrelated()\n\n\n{function}"
    assert scope_at(text).names == ("last", "first", "basket", "total")


def test_the_line_being_typed_has_no_names() -> None:
    assert scope_at("above()\nhere(there│\n").names == ("above",)


@pytest.mark.parametrize(
    ("line", "receiver"),
    [
        ("self.basket.│", "self.basket"),
        ("x = api.fe│", "api"),
        ("make().│", "make"),
        ("self.levels[level.slot].│", "self.levels"),
        ("f(a)[0].│", ""),
        ("this?.cart?.│", "cart"),
        ("Vec::│", "Vec"),
        ("node->│", "node"),
        ("a, b.│", "b"),
        ("x = │", ""),
        ("3.│", "3"),
    ],
)
def test_receivers(line: str, receiver: str) -> None:
    assert scope_at(line, "plaintext").receiver == receiver


@pytest.mark.parametrize(
    ("line", "callee"),
    [("f(│", "f"), ("a.put(x, │", "put"), ("f(g(x), │", ""), ("f(g(│", "g"), ("new Box<T>(│", "Box"), ("(│", "")],
)
def test_callees(line: str, callee: str) -> None:
    assert scope_at(line, "plaintext").callee == callee
