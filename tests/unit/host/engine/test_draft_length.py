"""The policy against a search over all lengths, and what it learns from."""

from itertools import product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.host.engine.draft_length import AcceptanceRates, OwnVerdicts, StepTimes, share_drafts
from heron.host.engine.ngrams import LONGEST_MATCH

RATES = st.lists(st.lists(st.sampled_from([0.1, 0.3, 0.5, 0.8, 0.95]), max_size=4), min_size=1, max_size=3)
STEPS = st.lists(st.floats(0.01, 1.0), min_size=20, max_size=20)


@given(RATES, STEPS, st.integers(0, 12))
def test_no_other_lengths_give_more_tokens_a_second(rates: list[list[float]], rises: list[float], room: int) -> None:
    chances = [[prod(row[: place + 1]) for place in range(len(row))] for row in rates]
    times = [sum(rises[: count + 1]) for count in range(20)]

    def speed(counts: tuple[int, ...]) -> float:
        expected = len(counts) + sum(sum(row[:count]) for row, count in zip(chances, counts, strict=True))
        return expected / times[len(counts) + sum(counts)]

    lengths = product(*(range(len(row) + 1) for row in chances))
    best = max(speed(counts) for counts in lengths if sum(counts) <= room)
    counts = share_drafts(chances, len(chances), room, times.__getitem__)
    assert sum(counts) <= room
    assert speed(tuple(counts)) == pytest.approx(best)


def test_nothing_is_drafted_where_it_does_not_pay() -> None:
    assert share_drafts([[0.4, 0.2]], 1, 10, lambda count: float(count)) == [0]
    assert share_drafts([[0.4, 0.2]], 1, 10, lambda count: 1 + 0.1 * (count - 1)) == [2]
    assert share_drafts([[0.4, 0.2]], 1, 0, lambda count: 1.0) == [0]
    assert share_drafts([], 30, 10, lambda count: 1.0) == []


def test_a_step_that_ends_a_tile_is_preferred_to_one_just_beyond() -> None:
    chances = [[0.9**place for place in range(1, 16)]]
    assert share_drafts(chances, 1, 15, lambda count: -(-count // 8) * 1.0) == [7]


def test_before_measuring_a_step_grows_slowly_with_its_tokens() -> None:
    times = StepTimes()
    assert times.of(1) == 1
    assert 1 < times.of(2) < times.of(16) < 2.5
    assert times.of(100) > times.of(64)


def test_between_measured_sizes_a_line_is_drawn() -> None:
    times = StepTimes()
    for count, seconds in ((1, 0.02), (5, 0.04), (9, 0.10)) * 40:
        times.observe(count, seconds)
    assert [times.of(count) for count in (1, 3, 5, 7, 9)] == pytest.approx([0.02, 0.03, 0.04, 0.07, 0.10], rel=0.05)
    assert times.of(13) == pytest.approx(0.14, rel=0.05)


def test_a_larger_step_is_never_held_to_be_faster() -> None:
    times = StepTimes()
    times.observe(4, 0.05)
    times.observe(8, 0.03)
    assert times.of(8) == times.of(4) == 0.03
    assert times.of(1) < 0.03


def test_a_slow_time_not_met_again_is_forgotten() -> None:
    times = StepTimes()
    times.observe(4, 1.0)
    for _ in range(1000):
        times.observe(1, 0.02)
    assert times.of(1) == pytest.approx(0.02)
    assert times.of(4) < 0.04
    times.observe(8, 0.08)
    for _ in range(20):
        times.observe(1, 0.02)
        times.observe(8, 0.08)
    assert times.of(8) == pytest.approx(0.08, rel=0.05)


def test_step_times_follow_the_machine_but_not_one_hiccup() -> None:
    times = StepTimes()
    times.observe(1, 0.02)
    times.observe(1, 5.0)
    assert times.of(1) <= 0.022
    for _ in range(40):
        times.observe(1, 0.04)
    assert times.of(1) == pytest.approx(0.04, rel=0.01)


def test_a_first_step_in_a_busy_moment_does_not_end_drafting() -> None:
    times = StepTimes()
    times.observe(1, 0.02)
    times.observe(2, 0.5)
    assert times.of(2) < 0.05
    assert share_drafts([[0.9, 0.8, 0.7, 0.6]], 1, 4, times.of) == [4]


def test_rates_follow_verdicts_by_the_length_of_the_match() -> None:
    rates = AcceptanceRates()
    for _ in range(200):
        rates.observe(2, False)
        rates.observe(40, True)
    assert rates.rates[2] < 0.01
    assert rates.rates[LONGEST_MATCH] > 0.99
    assert rates.rates[5] == AcceptanceRates().rates[5]


def test_chances_fall_along_a_draft_and_with_a_sequence_that_refuses() -> None:
    rates = AcceptanceRates()
    neutral = rates.chances(3, 6, OwnVerdicts())
    assert neutral == sorted(neutral, reverse=True)
    assert neutral[:2] == pytest.approx([rates.rates[3], rates.rates[3] * rates.rates[4]])
    refusing, agreeing = OwnVerdicts(), OwnVerdicts()
    for _ in range(20):
        refusing.add(False)
        agreeing.add(True)
    assert all(
        low < mid < high
        for low, mid, high in zip(rates.chances(3, 6, refusing), neutral, rates.chances(3, 6, agreeing), strict=True)
    )
