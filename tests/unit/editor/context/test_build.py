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
    started = time.process_time()
    context = build(document, position)
    assert time.process_time() - started < 0.25  # 1 and 25 ms on a quiet machine
    assert 0 < count(context.prefix) <= 1024
    assert 0 < count(context.suffix) <= 96
