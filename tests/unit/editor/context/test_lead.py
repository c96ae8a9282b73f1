import pytest

from heron.editor.context.budget import Budget
from heron.editor.context.build import Context, build_context
from heron.editor.document import Document
from heron.editor.syntax.tree import parse


def context(marked: str, language: str = "python") -> Context:
    document = Document("file:///a", 1, language, marked.replace("│", ""))
    position = document.position(marked.index("│"))
    return build_context(document, position, parse(document), Budget(500, 100, len))


@pytest.mark.parametrize(
    ("marked", "lead"),
    [
        ("def f(x):\n│\n", "    "),
        ("def f(x):\n    y = 1\n│\n    return y\n", "    "),
        ("def f(x):\n    if x:\n    │\n", "    "),
        ("def f(x):\n    if x:\n        y = 1\n│\n    return y\n", "    "),
        ("def f(x):\n    for y in x:\n        z()\n│\n        z()\n", "    "),
        ("class A:\n    def f(self):\n        x = 1\n│\n        return x\n", "        "),
        ("def f(x):\n    for y in x:\n│\n            z()\n", "        "),
        ("class A:\n\tdef f(self):\n\t\tpass\n│\n\tdef g(self):\n\t\tpass\n", "\t"),
        ('def f(x):\n    """Say."""\n│\n    return x\n', "    "),
    ],
)
def test_indentation_that_is_surely_missing(marked: str, lead: str) -> None:
    found = context(marked)
    assert found.lead == lead
    assert found.prefix == marked[: marked.index("│")] + lead


@pytest.mark.parametrize(
    "marked",
    [
        "def f(x):\n    │\n    return x\n",  # indented already
        "def f(x):\n    return x\n│\n",  # something new may begin
        "def f(x):\n    return x\n│\ndef g(x):\n    return x\n",
        "x = f(\n    1,\n│\n    2,\n)\n",  # a bracket continues as it likes
        's = """\n    a\n│\n    b\n"""\n',
        "x = 1\n│\ny = 2\n",
        "    x = 1\n    y = 2│\n",
    ],
)
def test_none_where_it_is_not(marked: str) -> None:
    assert context(marked).lead == ""


def test_before_a_closing_brace_the_block_goes_on() -> None:
    assert context("function f() {\n  a()\n│\n}\n", "javascript").lead == "  "
