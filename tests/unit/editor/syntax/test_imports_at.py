"""The imports a cursor can use: as all of them in a short document, without the far and deep ones in a long one."""

import pytest

from heron.editor.document import Document, Position
from heron.editor.syntax.imports import NEAR_LINES, read_imports, read_imports_at
from heron.editor.syntax.tree import Tree, parse
from unit.editor.syntax.test_tags import SOURCES, read_tree

DEEP = "if a:\n  if b:\n    if c:\n      if d:\n        import deep\n"


def modules(text: str, line: int) -> list[str]:
    tree = parse(Document("file:///a.py", 1, "python", text))
    assert isinstance(tree, Tree)
    return [one.module for one in read_imports_at(tree, Position(line, 0))]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_all_of_a_short_document(path: str) -> None:
    tree = read_tree(path)
    assert read_imports_at(tree, Position(5, 0)) == read_imports(tree)


def test_deep_ones_count_where_they_are_near() -> None:
    text = f"import top\nclass A:\n  def f(self):\n    import inner\n{DEEP}" + "x = 1\n" * 3 * NEAR_LINES
    assert modules(text, 5) == ["top", "inner", "deep"]
    assert modules(text, 2 * NEAR_LINES) == ["top", "inner"]
    assert modules(text, 10**6) == ["top", "inner"]
