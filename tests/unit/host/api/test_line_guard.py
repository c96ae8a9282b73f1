from hypothesis import given
from hypothesis import strategies as st

from heron.host.api.line_guard import LineGuard


def run(guard: LineGuard, *pieces: str) -> str:
    return "".join([*map(guard.feed, pieces), guard.finish()])


def test_a_line_with_less_indentation_ends_the_answer() -> None:
    guard = LineGuard(4)
    assert run(guard, "a = 1\n", "    b\n\n", "  c\n", "    d") == "a = 1\n    b"
    assert guard.ended


def test_the_first_line_and_blank_lines_may_be_indented_less() -> None:
    guard = LineGuard(4)
    assert run(guard, "a\n", "\n", "  \n", "    b\n") == "a\n\n  \n    b\n"
    assert not guard.ended


def test_when_time_is_over_the_line_being_written_is_the_last() -> None:
    now = iter((0.0, 0.1, 0.3))
    guard = LineGuard(0, 0.25, lambda: next(now))
    assert run(guard, "a\n", "b", "b\nc") == "a\nbb"


@given(st.lists(st.text("ab \n", max_size=6)), st.integers(0, 3))
def test_pieces_make_no_difference(pieces: list[str], columns: int) -> None:
    apart, whole = LineGuard(columns), LineGuard(columns)
    assert run(apart, *pieces) == run(whole, "".join(pieces))
    assert apart.ended == whole.ended
