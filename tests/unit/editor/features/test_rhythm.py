from hypothesis import given
from hypothesis import strategies as st

from heron.editor.features.rhythm import Rhythm


def typed(gap_s: float, answer_s: float, keys: int = 30) -> Rhythm:
    rhythm = Rhythm()
    for number in range(keys):
        rhythm.note_key(100 + number * gap_s)
        rhythm.note_answer(answer_s)
    return rhythm


def test_answers_that_come_between_two_keys_are_asked_for_at_once() -> None:
    assert typed(gap_s=0.2, answer_s=0.05).delay_s == 0


def test_slow_answers_wait_for_the_next_key() -> None:
    assert typed(gap_s=0.2, answer_s=0.8).delay_s > 0.05


def test_a_pause_is_no_typing() -> None:
    assert typed(gap_s=5.0, answer_s=0.1).delay_s == 0


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 100)), max_size=50))
def test_the_wait_is_never_long(events: list[tuple[float, float]]) -> None:
    rhythm = Rhythm()
    for at, answer_s in events:
        rhythm.note_key(at)
        rhythm.note_answer(answer_s)
        assert 0 <= rhythm.delay_s <= 0.15
