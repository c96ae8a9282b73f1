import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.editor.features.sureness import chance_right

logprobs = st.lists(st.floats(-50, 0), min_size=1, max_size=50)


def test_nothing_is_known_without_log_probabilities() -> None:
    assert chance_right([]) is None


@given(logprobs)
def test_it_is_a_probability(values: list[float]) -> None:
    chance = chance_right(values)
    assert chance is not None
    assert 0 < chance < 0.95


@given(logprobs, st.integers(0, 49), st.floats(0.1, 10))
def test_a_token_that_is_less_likely_never_makes_it_surer(values: list[float], index: int, less: float) -> None:
    worse = list(values)
    worse[index % len(values)] -= less
    assert (chance_right(worse) or 0) <= (chance_right(values) or 0)


@pytest.mark.parametrize(("values", "is_sure"), [([-0.01] * 20, True), ([-3.0, -0.5, -2.0], False)])
def test_what_the_model_doubts_is_unlikely(values: list[float], is_sure: bool) -> None:
    assert ((chance_right(values) or 0) > 0.5) is is_sure
