import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heron.editor.context.budget import Budget
from heron.editor.context.build import Context, build_context
from heron.editor.document import Document, Position
from heron.editor.syntax.tree import parse

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # machines may be busy


def count(text: str) -> int:
    return len(text) // 3


def build(document: Document, position: Position, budget: Budget | None = None) -> Context:
    return build_context(document, position, parse(document), budget or Budget(1024, 96, count))


def test_text_around_the_cursor() -> None:
    context = build(Document("file:///a.py", 1, "python", "x = 1\r\ny = \r\nz = 3\r\n"), Position(1, 4))
    assert (context.prefix, context.suffix) == ("x = 1\ny = ", "\nz = 3\n")
    assert context.shape == "line"
    assert context.reason


def test_text_in_the_middle_of_a_line_stops_at_its_end() -> None:
    assert build(Document("file:///a.py", 1, "python", "f()\n"), Position(0, 2)).stop == ("\n",)
    assert build(Document("file:///a.py", 1, "python", "f(\n"), Position(0, 2)).stop == ()


@pytest.mark.parametrize("position", [Position(0, 0), Position(9, 9), Position(-1, -1), Position(0, 99)])
def test_positions_outside_are_clamped(position: Position) -> None:
    context = build(Document("file:///a.py", 1, "python", "x = 1"), position)
    assert context.prefix + context.suffix == "x = 1"


@unhurried
@given(st.text(alphabet="ab(\n\r\t🦉é '\"", max_size=200), st.integers(0, 200))
def test_prefix_and_suffix_meet_at_the_cursor(text: str, offset: int) -> None:
    document = Document("file:///a.py", 1, "python", text)
    position = document.position(offset)
    context = build(document, position)
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    assert (context.prefix + context.suffix).replace("\n", "") == unified.replace("\n", "")
    assert context.gap.offset == document.offset(position)


@pytest.mark.parametrize(
    ("text", "position"),
    [("x = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaa'\n" * 1_500_000, Position(700_000, 3)), ("x(" * 50_000, Position(0, 50_000))],
    ids=["50 MB", "100,000 columns"],
)
def test_huge_documents_cost_no_more(text: str, position: Position) -> None:
    document = Document("file:///a.py", 1, "python", text)
    assert document.num_lines
    started = time.thread_time()
    context = build(document, position)
    assert time.thread_time() - started < 0.25  # 1 and 25 ms on a quiet machine
    assert 0 < count(context.prefix) <= 1024
    assert 0 < count(context.suffix) <= 96


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_imports_that_the_window_lost_stand_in_front(line_end: str) -> None:
    text = line_end.join(["from shop import total", "import os", *["x = 1"] * 400, "y = "])
    document = Document("file:///a.py", 1, "python", text)
    place = document.position(len(text))
    cut = build(document, place, Budget(96, 16, count)).prefix
    shown = build(document, place, Budget(96, 16, count, import_tokens=16)).prefix
    assert "import" not in cut
    assert shown.startswith("from shop import total\nimport os\nx = 1\n")
    assert shown.endswith("x = 1\ny = ")
    assert count(shown) <= 96
    assert build(document, place, Budget(96, 16, count, import_tokens=4)).prefix.startswith("import os\nx = 1\n")


def test_imports_are_not_shown_twice() -> None:
    document = Document("file:///a.py", 1, "python", "import os\nx = ")
    assert build(document, Position(1, 4), Budget(96, 16, count, import_tokens=16)).prefix == "import os\nx = "


def test_code_in_a_fence_is_judged_by_its_own_language_and_asked_with_what_is_around() -> None:
    text = "It's a list:\n\n```python\ndef f():\n    return \n```\n"
    document = Document("file:///a.md", 1, "markdown", text)
    context = build(document, Position(4, 11))
    assert (context.prefix, context.suffix) == (text[: text.index("return ") + 7], "\n```\n")
    assert context.gap.language is not None
    assert context.gap.language.name == "python"
