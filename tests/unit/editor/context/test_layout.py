from pathlib import Path

import pytest

from heron.editor.context.header import import_lines, keep_last
from heron.editor.context.layout import can_comment, join_suffix, render_snippets
from heron.editor.context.snippet import Snippet
from heron.editor.document import Document
from heron.editor.syntax.languages import load_languages
from heron.editor.syntax.tree import parse

A, B, C = (
    Snippet("definitions", Path("/w") / name, 0, 1, text)
    for name, text in (("a", "f()\ng()"), ("b", "h()"), ("a", "i()"))
)


def test_snippets_of_one_file_stand_together_as_comments() -> None:
    shown = [("a.py", A), ("b.py", B), ("a.py", C)]
    python, css = load_languages()["python"], load_languages()["css"]
    assert render_snippets(shown, python) == "# a.py:\n# f()\n# g()\n# i()\n# b.py:\n# h()\n"
    assert render_snippets([("b", Snippet("open", Path("/b"), 0, 1, "*/ x"))], css) == "/*\nb:\n x\n*/\n"
    assert render_snippets([], python) == render_snippets(shown, None) == ""


def test_languages_without_comments_show_nothing() -> None:
    assert not can_comment(load_languages()["json"])
    assert can_comment(load_languages()["go"])


@pytest.mark.parametrize(
    ("suffix", "joined"),
    [("", "\n# b\n"), (")", ")\n# b\n"), (")\n  end\n", ")\n# b\n  end\n"), ("\nrest", "\n# b\nrest")],
)
def test_below_the_cursors_line(suffix: str, joined: str) -> None:
    assert join_suffix(suffix, "# b\n") == joined
    assert join_suffix(suffix, "") == suffix


def test_imports_above_the_window() -> None:
    text = "import a\nfrom b import (\n    c,\n    d,\n)\nimport a\nx = 1\nimport late\n"
    tree = parse(Document("file:///a.py", 1, "python", text))
    assert tree is not None
    assert import_lines(tree, text.index("x")) == ("import a", "from b import ( c, d, )")
    assert import_lines(tree, 0) == ()


def test_the_last_that_fit() -> None:
    assert keep_last(("aaaa", "bb", "cc"), 6, len) == "bb\ncc\n"
    assert keep_last(("aaaa",), 3, len) == ""
