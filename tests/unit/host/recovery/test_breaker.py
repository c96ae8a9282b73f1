import pytest

from heron.host.recovery.breaker import Breaker, BreakerLimits

LIMITS = BreakerLimits(
    max_vain=3, window_s=100, first_backoff_s=1, longest_backoff_s=3, retry_s=30, longest_retry_s=100
)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_lives_in_vain_come_later_and_later_until_there_were_too_many() -> None:
    breaker = Breaker(LIMITS, Clock())
    waits = []
    while not breaker.is_at_limit:
        waits.append(breaker.note_end(was_fruitful=False))
    assert waits == [1, 2, 3]


def test_a_worker_that_answers_between_its_ends_is_never_given_up() -> None:
    breaker = Breaker(LIMITS, Clock())
    for _ in range(200):
        assert breaker.note_end(was_fruitful=True) == 1
        breaker.note_end(was_fruitful=False)
        assert not breaker.is_at_limit


def test_what_lies_far_back_does_not_count() -> None:
    clock = Clock()
    breaker = Breaker(LIMITS, clock)
    for _ in range(10):
        clock.now_s += 60
        breaker.note_end(was_fruitful=False)
    assert breaker.num_vain == 2


def test_each_time_it_is_given_up_for_longer_until_it_works() -> None:
    clock = Clock()
    breaker = Breaker(LIMITS, clock)
    for pause_s in (30, 60, 100, 100):
        assert breaker.pause_s == pause_s
        breaker.open()
        clock.now_s += pause_s - 1
        assert not breaker.may_retry
        clock.now_s += 1
        assert breaker.may_retry
    breaker.note_end(was_fruitful=True)
    assert breaker.pause_s == 30


def test_it_may_be_tried_before_anything_happened() -> None:
    assert Breaker(LIMITS).may_retry


@pytest.mark.parametrize("num_ends", [3, 50])
def test_the_backoff_has_an_end(num_ends: int) -> None:
    breaker = Breaker(LIMITS, Clock())
    assert [breaker.note_end(was_fruitful=False) for _ in range(num_ends)][-1] == LIMITS.longest_backoff_s
