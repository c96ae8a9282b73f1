import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.errors import WorkerCrashed
from heron.host.replay import Replay, make_repeatable
from heron.wire import Delta, GenerateRequest, Sampling, TextPrompt

TOKENS = [(index, text) for index, text in enumerate(["de", "f ", "", "fö", "o", "(", "x", "):\n"])]


def deltas_of(tokens: list[tuple[int, str]], cuts: set[int]) -> list[Delta]:
    """The tokens as deltas, a new one beginning at each cut."""
    groups: list[list[tuple[int, str]]] = [[]]
    for index, token in enumerate(tokens):
        if index in cuts and groups[-1]:
            groups.append([])
        groups[-1].append(token)
    return [Delta("".join(text for _, text in group), tuple(token for token, _ in group)) for group in groups]


CUTS = st.sets(st.integers(1, len(TOKENS)))


@given(st.lists(st.tuples(CUTS, st.integers(0, len(TOKENS))), max_size=3), CUTS)
def test_whatever_ends_when_nothing_is_lost_or_told_twice(lives: list[tuple[set[int], int]], last: set[int]) -> None:
    replay, told = Replay(), []
    for cuts, num_deltas in [*lives, (last, len(TOKENS))]:
        replay.begin()
        told += [fresh for delta in deltas_of(TOKENS, cuts)[:num_deltas] if (fresh := replay.pass_on(delta))]
    assert "".join(delta.text for delta in told) == "".join(text for _, text in TOKENS)
    assert [token for delta in told for token in delta.token_ids] == [token for token, _ in TOKENS]


@pytest.mark.parametrize("other", [Delta("deg", (0,)), Delta("def", (9,)), Delta("d", (0,))])
def test_another_answer_is_not_gone_on_with(other: Delta) -> None:
    replay = Replay()
    replay.begin()
    replay.pass_on(Delta("def", (0,)))
    replay.begin()
    if other.text == "d":  # the same token, its text let out later: no contradiction
        assert replay.pass_on(other) is None
    else:
        with pytest.raises(WorkerCrashed):
            replay.pass_on(other)


@pytest.mark.parametrize(
    ("sampling", "is_seeded"),
    [(Sampling(temperature=1.0), True), (Sampling(), False), (Sampling(temperature=1.0, seed=7), False)],
)
def test_chance_gets_a_seed(sampling: Sampling, is_seeded: bool) -> None:
    request = GenerateRequest("1", TextPrompt("x"), sampling)
    assert (make_repeatable(request) != request) == is_seeded
