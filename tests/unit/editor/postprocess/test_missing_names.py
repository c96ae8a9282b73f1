import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.editor.document import Document
from heron.editor.postprocess.missing_names import missing_names, unknown_names
from heron.editor.syntax.gap import Gap
from heron.editor.syntax.languages import find_language
from heron.editor.syntax.tree import parse


def gap(marked: str, language: str = "python") -> Gap:
    document = Document("file:///a", 1, language, marked.replace("│", ""))
    position = document.position(marked.index("│"))
    return Gap(document, position, find_language(language, document.uri), parse(document), "block")


@pytest.mark.parametrize(
    ("marked", "text", "missing"),
    [
        ("def f(x):\n    │\n    return total\n", "y = x", {"total"}),
        ("def f(x):\n    │\n    return total\n", "total = x", set()),
        ("def f(x):\n    │\n    return x\n", "", set()),
        ("def f(x):\n    │\n    return len(sorted(found, key=None))\n", "", {"found"}),
        ("def f(x):\n    │\n    for item in x:\n        print(item.name, 'total')\n", "", set()),
        ("def f(x):\n    │\n    count += 1\n", "", {"count"}),
        ("def f(x):\n    │\n    rest: int = 1\n    return rest\n", "", set()),
        ("def f(x):\n    │\n    return x\n\ndef g():\n    return other\n", "", set()),
        ("def f(x):\n    │\n\ndef g():\n    return other\n", "", set()),
        ("a = 1\n│\nprint(other)\n", "", {"other"}),
        ("def f(x):\n    │\n    total = total + x\n", "", {"total"}),
        ("def f(x):\n    │\n    found = [\n        y\n        for y in x\n    ]\n", "", set()),
        ("def f(x):\n    'The total.'\n    │\n    return total\n", "", {"total"}),
        ("def f(x):\n    │\n    return LIMIT\n\nLIMIT = 1\n", "", set()),
        ("from a import *\n\ndef f(x):\n    │\n    return LIMIT\n", "", set()),
    ],
)
def test_names_the_code_below_lacks(marked: str, text: str, missing: set[str]) -> None:
    assert missing_names(text, gap(marked)) == missing


@pytest.mark.parametrize(
    ("marked", "text", "unknown"),
    [
        ("def f(x):\n    │\n", "return helper(x)", {"helper"}),
        ("def f(x):\n    │\n\ndef helper(x): ...\n", "return helper(x)", set()),
        ("def f(x):\n    │\n", "for y in x:\n        total = y.value\n    return total", set()),
        ("def f(x):\n    │\n", "return sorted(x, key=len, reverse=turned)", {"turned"}),
        ("def f(x):\n    │\n", "return f'{x}' + r'a' + 'b'  # as is", set()),
        ("def f(x):\n    │\n", "def g(y, *, key=None):\n        return y[key]\n    return g(x)", set()),
        ("def f(x):\n    # │\n", "whatever comes", set()),
    ],
)
def test_names_that_a_text_takes_from_nowhere(marked: str, text: str, unknown: set[str]) -> None:
    assert unknown_names(text, gap(marked)) == unknown


def test_other_languages_are_not_judged() -> None:
    assert missing_names("", gap("function f() {\n  │\n  return total\n}\n", "javascript")) == frozenset()


@given(st.text("ab =.:()\n", max_size=60), st.text("ab =.:()\n", max_size=60), st.text("ab =\n", max_size=20))
def test_more_text_never_lacks_more(before: str, after: str, text: str) -> None:
    place = gap(before + "│" + after)
    assert missing_names(text, place) <= missing_names("", place)
