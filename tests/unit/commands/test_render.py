"""Ghost text in its surroundings."""

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from heron.commands.render import draw_ghost, mark_ghost, show_completion

BEFORE = "".join(f"line {number}\n" for number in range(1, 10)) + "x = "
AFTER = "\nnext 1\nnext 2\nnext 3\nnext 4\n"


def test_shows_a_few_lines_around_the_cursor() -> None:
    shown = mark_ghost(BEFORE, "f(y)", AFTER)
    assert shown.plain == "line 6\nline 7\nline 8\nline 9\nx = ├f(y)┤\nnext 1\nnext 2"


def test_ghost_text_alone_is_styled() -> None:
    text = draw_ghost(BEFORE, "f(\n\ty)", AFTER, "python")
    styled = [text.plain[span.start : span.end] for span in text.spans if "italic" in str(span.style)]
    assert styled == ["f(\n    y)"]


def test_without_an_offer_the_cursor_is_marked() -> None:
    assert "x = ▏\nnext 1" in draw_ghost(BEFORE, None, AFTER, "python").plain


def test_an_unknown_language_is_plain_text() -> None:
    assert draw_ghost("a", "b", "c", "no such language").plain == "abc"


@pytest.mark.parametrize("terminal", [True, False])
def test_goes_to_terminals_and_to_files(terminal: bool) -> None:
    console = Console(file=StringIO(), force_terminal=terminal, width=60)
    show_completion(console, "a.py", mark_ghost(BEFORE, "[bold]f", AFTER), "12 ms")
    shown = console.file.getvalue()
    assert "├[bold]f┤" in shown
    assert ("\x1b[" in shown or "╭" in shown) is terminal


@given(st.text(), st.none() | st.text(), st.text())
def test_any_text_can_be_shown(before: str, ghost: str | None, after: str) -> None:
    assert mark_ghost(before, ghost, after).plain.strip() != ""
