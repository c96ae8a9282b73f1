from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heron.editor.context.budget import Budget, cut_prefix, cut_suffix

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # machines may be busy


def budget(prefix: int = 64, suffix: int = 16) -> Budget:
    return Budget(prefix, suffix, len)


LINES = [f"line {number:03}\n" for number in range(200)]


def test_text_that_fits_is_whole() -> None:
    assert cut_prefix("a\nb\n", 0, budget()) == "a\nb\n"
    assert cut_suffix("a\nb\n", budget()) == "a\nb\n"


def test_text_that_does_not_begin_its_document_begins_on_the_grid() -> None:
    starts = {cut_prefix("".join(LINES[first:60]), first, budget(560))[:8] for first in range(1, 9)}
    assert starts == {"line 028"}


def test_window_begins_at_a_line_and_fits() -> None:
    window = cut_prefix("".join(LINES), 0, budget(200))
    assert window.startswith("line ")
    assert window.endswith(LINES[-1])
    assert 100 <= len(window) <= 200


def test_window_stays_while_lines_are_typed() -> None:
    starts = [cut_prefix("".join(LINES[:count]), 0, budget(640))[:8] for count in range(100, 180)]
    changes = sum(before != after for before, after in pairwise(starts))
    assert changes <= 80 // 32 + 1


def test_window_does_not_move_within_a_line() -> None:
    text = "".join(LINES)
    assert {cut_prefix(text + "x" * typed, 0, budget(640))[:8] for typed in range(20)} == {"line 160"}


def test_window_does_not_depend_on_where_the_text_was_cut() -> None:
    text = "".join(LINES)
    shorter = "".join(LINES[90:])
    assert cut_prefix(text, 0, budget(640)) == cut_prefix(shorter, 90, budget(640))


def test_window_prefers_a_top_level_border() -> None:
    functions = [f"def f{number}():\n    a = 1\n    return a\n\n\n" for number in range(40)]
    assert cut_prefix("".join(functions), 0, budget(500)).startswith("def f")


def test_window_of_long_lines_is_used_as_well_as_one_of_short_lines() -> None:
    text = "".join(f"{number}{'x' * 90}\n" for number in range(100, 200))
    assert 300 <= len(cut_prefix(text + "end", 0, budget(600))) <= 600


def test_long_line_is_cut_in_coarse_steps() -> None:
    windows = [cut_prefix("x" * length, 0, budget(600)) for length in range(10_000, 10_200)]
    assert all(0 < len(window) <= 600 for window in windows)


def test_suffix_ends_after_a_whole_line() -> None:
    assert cut_suffix("".join(LINES), budget(suffix=40)) == "".join(LINES[:4])


def test_suffix_without_budget_is_empty() -> None:
    assert cut_suffix("abc", budget(suffix=0)) == ""


@unhurried
@given(st.text(alphabet="ab \n\u2028🦉", max_size=400), st.integers(1, 50), st.integers(0, 1000))
def test_windows_fit_and_are_parts(text: str, tokens: int, first_line: int) -> None:
    window = cut_prefix(text, first_line, budget(tokens, tokens))
    after = cut_suffix(text, budget(tokens, tokens))
    assert text.endswith(window)
    assert text.startswith(after)
    assert len(window) <= tokens
    assert len(after) <= tokens
