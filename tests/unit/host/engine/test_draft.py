"""The lookup drafter: what it proposes, when, and what it learns; and that it is fast."""

import time

from heron.host.engine.draft import LookupDrafter, StepSpace
from heron.host.engine.draft_length import MAX_DRAFT_TOKENS
from heron.host.engine.sequence import Sequence
from unit.host.engine.sequences import make_sequence

ALONE = StepSpace(1, 32)


def draft(drafter: LookupDrafter, sequence: Sequence, room: int = 32) -> tuple[int, ...]:
    (guess,) = drafter.draft([sequence], StepSpace(1, room))
    return guess


def answer(drafter: LookupDrafter, sequence: Sequence, token_ids: list[int]) -> None:
    sequence.token_ids += token_ids
    drafter.learn(sequence, token_ids)


def end(drafter: LookupDrafter, prompt: list[int], token_ids: list[int]) -> None:
    sequence = make_sequence(prompt)
    sequence.num_cached = 0
    sequence.token_ids += token_ids
    drafter.remember(sequence)


def test_proposes_what_followed_in_its_own_text() -> None:
    sequence = make_sequence([*range(20, 40), 5, *range(22, 30)])
    guess = draft(LookupDrafter(), sequence)
    assert guess
    assert guess == (*range(30, 40), 5, 22, 23, 24, 25)[: len(guess)]


def test_proposes_nothing_for_text_that_is_new() -> None:
    assert draft(LookupDrafter(), make_sequence(list(range(50)))) == ()


def test_goes_on_with_the_text_as_it_grows() -> None:
    drafter = LookupDrafter()
    sequence = make_sequence([1, 2, 3, 4, 5, 6, 7, 8, 9])
    assert draft(drafter, sequence) == ()
    answer(drafter, sequence, [2, 3, 4])
    assert draft(drafter, sequence)[:2] == (5, 6)


def test_finds_recent_answers_and_prompts_of_others() -> None:
    drafter = LookupDrafter()
    end(drafter, list(range(100, 120)), list(range(200, 220)))
    assert draft(drafter, make_sequence([1, 2, 3, *range(203, 210)]))[:3] == (210, 211, 212)
    assert draft(drafter, make_sequence([1, 2, 3, *range(103, 110)]))[:3] == (110, 111, 112)


def test_prefers_its_own_text_unless_the_other_match_is_longer() -> None:
    drafter = LookupDrafter()
    end(drafter, [9], [3, 1, 2, 8, 8, 8])
    assert draft(drafter, make_sequence([1, 2, 7, 7, 1, 2]))[0] == 7
    assert draft(drafter, make_sequence([1, 2, 7, 7, 3, 1, 2]))[0] == 8


def test_remembers_of_a_prompt_only_what_was_new() -> None:
    drafter = LookupDrafter()
    sequence = make_sequence(list(range(100, 140)))
    sequence.num_cached = 30
    drafter.remember(sequence)
    assert draft(drafter, make_sequence([1, *range(110, 118)])) == ()
    assert draft(drafter, make_sequence([1, *range(130, 134)]))[0] == 134


def test_stops_drafting_what_is_always_refused_and_takes_it_up_again() -> None:
    drafter = LookupDrafter()
    drafter.observe_step(1, 0.02)
    drafter.observe_step(16, 0.06)
    sequence = make_sequence([1, 2, 3])
    lengths = []
    for number in range(30):  # what followed 1, 2 before never follows again
        answer(drafter, sequence, [1, 2])
        lengths.append(len(draft(drafter, sequence)))
        answer(drafter, sequence, [100 + number])
    assert lengths[0] > 0
    assert lengths[-1] == 0
    for _ in range(8):
        answer(drafter, sequence, [50, 51, 52, 53])
        for _ in range(4):
            lengths.append(len(draft(drafter, sequence)))
            answer(drafter, sequence, [sequence.token_ids[-4]])
    assert lengths[-1] > 4


def test_learns_from_proposals_that_were_not_verified() -> None:
    drafter = LookupDrafter()
    before = list(drafter.rates.rates)
    sequence = make_sequence([1, 2, 3, 4, 1, 2])
    assert draft(drafter, sequence, room=0) == ()
    answer(drafter, sequence, [3])
    assert drafter.rates.rates[2] > before[2]
    assert draft(drafter, sequence, room=0) == ()
    answer(drafter, sequence, [9])
    assert drafter.rates.rates[3] < before[3]


def test_shares_the_room_among_sequences() -> None:
    drafter = LookupDrafter()
    drafter.observe_step(1, 0.020)
    drafter.observe_step(64, 0.021)
    loop = [1, 2, 3, 4, 5, 6, 7, 8] * 6
    guesses = drafter.draft([make_sequence(loop), make_sequence([9, *loop])], StepSpace(2, 12))
    assert sum(map(len, guesses)) == 12
    assert min(map(len, guesses)) >= 5
    assert max(map(len, guesses)) <= MAX_DRAFT_TOKENS


def test_costs_little_for_each_token() -> None:
    drafter = LookupDrafter()
    end(drafter, [number * 7 % 1000 for number in range(3000)], [])
    sequence = make_sequence([number * number % 997 for number in range(2000)])
    draft(drafter, sequence)
    began = time.thread_time()
    for number in range(500):
        answer(drafter, sequence, [number % 10])
        draft(drafter, sequence)
    assert (time.thread_time() - began) / 500 < 400e-6, "ten times what a quiet machine takes"
