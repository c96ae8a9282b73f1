from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from heron.editor.features.chat.conversation import Turn, TurnState, history_of, title_of
from heron.editor.features.chat.history import count_messages, first_shown, messages_of
from heron.wire import Message, ToolCall


def turn(question: str, answer: str, state: TurnState = "complete") -> Turn:
    return Turn(question, question, (Message("user", question), Message("assistant", answer)), state)


def test_a_finished_turn_is_shown_as_it_was() -> None:
    assert history_of(turn("q", "a")) == (Message("user", "q"), Message("assistant", "a"))


def test_a_stopped_answer_is_marked_and_its_open_calls_are_left_out() -> None:
    calling = Message("assistant", "Let me see.", (ToolCall("1", "grep", "{}"),))
    stopped = Turn("t", "q", (Message("user", "q"), calling, Message("tool", "found", tool_call_id="1")), "cancelled")
    question, answer = history_of(stopped)
    assert question.content == "q"
    assert answer == Message("assistant", "Let me see.\n[The answer was stopped here.]")


def test_a_question_without_any_answer_is_not_shown_again() -> None:
    assert history_of(Turn("t", "q", (Message("user", "q"),), "failed")) == ()


@given(st.lists(st.integers(0, 60), max_size=12), st.integers(0, 200))
def test_what_is_shown_fits_and_ends_with_the_last_turn(sizes: list[int], budget: int) -> None:
    turns = [turn("q", "w " * size) for size in sizes]
    shown = turns[first_shown(turns, budget, count) :]
    assert count_messages(messages_of(shown), count) <= budget


@given(st.lists(st.integers(1, 60), min_size=2, max_size=20))
def test_the_first_turn_that_is_shown_stays_for_some_turns(sizes: list[int]) -> None:
    """Dropping one turn at each turn would throw the KV cache away each time."""
    turns = [turn("q", "w " * size) for size in sizes]
    firsts = [first_shown(turns[:number], 300, count) for number in range(1, len(turns) + 1)]
    assert firsts == sorted(firsts)
    moves = sum(1 for before, after in pairwise(firsts) if after != before)
    assert moves <= sum(size + 14 for size in sizes) / 150 + 1


def test_titles() -> None:
    assert title_of("\n  What is it?\nmore") == "What is it?"
    assert len(title_of("x" * 100)) == 60
    assert title_of(" \n") == "New conversation"


def count(text: str) -> int:
    return len(text.split())
