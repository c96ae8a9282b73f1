import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.editor.client.resume import Told
from heron.errors import HostUnreachable
from heron.wire import Delta, TokenLogprob, ToolCall

WORDS = ["de", "f ", "", "fö", "o", "(", "x", "):\n"]
CUTS = st.sets(st.integers(1, len(WORDS)))


def deltas_of(cuts: set[int]) -> list[Delta]:
    """The words as deltas, a new one beginning at each cut, each with its log probabilities."""
    groups: list[list[str]] = [[]]
    for index, word in enumerate(WORDS):
        if index in cuts and groups[-1]:
            groups.append([])
        groups[-1].append(word)
    return [Delta("".join(group), logprobs=tuple(TokenLogprob(word, -1, -0.5) for word in group)) for group in groups]


@given(st.lists(st.tuples(CUTS, st.integers(0, len(WORDS))), max_size=3), CUTS)
def test_whatever_is_lost_when_nothing_is_missing_or_told_twice(
    lives: list[tuple[set[int], int]], last: set[int]
) -> None:
    told, passed = Told(), []
    for cuts, count in [*lives, (last, len(WORDS))]:
        told.begin()
        passed += [fresh for delta in deltas_of(cuts)[:count] if (fresh := told.pass_on(delta)) is not None]
    assert "".join(delta.text for delta in passed) == "".join(WORDS)
    assert [one.text for delta in passed for one in delta.logprobs] == WORDS


def test_another_answer_is_not_gone_on_with() -> None:
    told = Told()
    told.begin()
    told.pass_on(Delta("def"))
    told.begin()
    with pytest.raises(HostUnreachable, match="could not be gone on with"):
        told.pass_on(Delta("deg"))


def test_the_end_and_calls_are_always_passed_on() -> None:
    told = Told()
    for _ in range(2):
        told.begin()
        told.pass_on(Delta("a"))
        assert not told.has_gained or told.text == "a"
    calls = (ToolCall("1", "grep", "{}"),)
    assert told.pass_on(Delta(tool_calls=calls)) == Delta(tool_calls=calls)
    assert told.pass_on(Delta(finish_reason="stop")) == Delta(finish_reason="stop")


def test_gain_is_what_the_present_stream_brought() -> None:
    told = Told()
    told.begin()
    told.pass_on(Delta("ab"))
    assert told.has_gained
    told.begin()
    told.pass_on(Delta("a"))
    assert not told.has_gained
    told.pass_on(Delta("bc"))
    assert told.has_gained
