"""Clients within a priority: equal shares, nobody starves, and a crowded queue says when to come back."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heron.errors import Overloaded
from heron.host.engine.prefix_cache import PrefixCache
from heron.host.engine.scheduler import Scheduler, SchedulerLimits
from heron.host.engine.sequence import Sequence
from heron.host.engine.throughput import DECODE_COST
from heron.wire import Priority
from unit.host.engine.sequences import make_sequence

LONGEST_PROMPT, LONGEST_ANSWER, PLACES = 24, 6, 4
PRIORITIES = st.sampled_from(("completion", "chat", "background"))


@dataclass(frozen=True)
class Ask:
    client: str
    prompt_tokens: int
    answer_tokens: int
    priority: Priority = "completion"


ASKS = st.builds(
    Ask, st.sampled_from("abcde"), st.integers(1, LONGEST_PROMPT), st.integers(1, LONGEST_ANSWER), PRIORITIES
)


def make_scheduler(num_pages: int = 1000, **limits: int) -> Scheduler:
    cache = PrefixCache(num_pages, 4, lambda source, target: None)
    return Scheduler(cache, SchedulerLimits(**{"max_running": PLACES, "max_step_tokens": 16} | limits))


class Counting:
    """Runs a scheduler whose sequences answer token 7, each prompt another than all before."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.num_asked = 0
        self.served: dict[str, float] = {}

    def ask(self, ask: Ask) -> Sequence:
        self.num_asked += 1
        prompt = [100 + self.num_asked] * ask.prompt_tokens
        sequence = make_sequence(prompt, ask.answer_tokens, ask.priority, client=ask.client)
        self.scheduler.add(sequence)
        return sequence

    def step(self) -> list[Sequence]:
        """Run a step; the sequences that ended with it."""
        ended = []
        chunks = self.scheduler.plan()
        assert chunks, "work is queued, and nothing runs"
        for chunk in chunks:
            sequence = chunk.sequence
            cost = DECODE_COST if chunk.num_tokens == 1 else chunk.num_tokens
            self.served[sequence.client] = self.served.get(sequence.client, 0.0) + cost
            self.scheduler.commit(chunk)
            if chunk.num_logits:
                sequence.token_ids.append(7)
                if sequence.num_answered == sequence.max_tokens:
                    self.scheduler.remove(sequence)
                    ended.append(sequence)
        self.scheduler.observe_step(0.01)
        return ended


@given(st.data(), st.lists(st.sampled_from("abc"), min_size=2, max_size=3, unique=True))
@settings(max_examples=30, deadline=None)
def test_clients_that_always_have_work_are_served_alike(data: st.DataObject, clients: list[str]) -> None:
    """The bound of the paper: twice the most that what is admitted at once can still take."""
    sizes = st.tuples(st.integers(1, LONGEST_PROMPT), st.integers(1, LONGEST_ANSWER))
    counting = Counting(make_scheduler())
    for client in clients:
        for _ in range(PLACES + 1):
            counting.ask(Ask(client, *data.draw(sizes)))
    for _ in range(150):
        for sequence in counting.step():
            counting.ask(Ask(sequence.client, *data.draw(sizes)))
        most = PLACES * (LONGEST_PROMPT + DECODE_COST * LONGEST_ANSWER)
        assert max(counting.served.values()) - min(counting.served.get(client, 0.0) for client in clients) <= 2 * most


@given(st.lists(ASKS, min_size=1, max_size=40), st.integers(8, 40))
@settings(max_examples=60, deadline=None)
def test_everything_that_is_asked_ends(asks: list[Ask], num_pages: int) -> None:
    counting = Counting(make_scheduler(num_pages, aging_steps=20))
    for ask in asks:
        counting.ask(ask)
    num_ended = 0
    for _ in range(20 * sum(ask.prompt_tokens + ask.answer_tokens for ask in asks)):
        num_ended += len(counting.step())
        if num_ended == len(asks):
            return
    raise AssertionError("something starved")


def test_one_request_is_not_kept_waiting_by_fifty_of_another_client() -> None:
    counting = Counting(make_scheduler())
    for _ in range(50):
        counting.ask(Ask("crowd", 20, 500))
    for _ in range(30):
        counting.step()
    single = counting.ask(Ask("single", 20, 5))
    assert [single in counting.step() for _ in range(8)].count(True) == 1


def test_places_are_shared_and_then_left_alone() -> None:
    scheduler = make_scheduler()
    counting = Counting(scheduler)
    for client in ("a", "b"):
        for _ in range(6):
            counting.ask(Ask(client, 4, 100))
        for _ in range(5):
            counting.step()
    places = sorted(sequence.client for sequence in scheduler.drain() if sequence.lease is None)
    assert scheduler.num_preempted == 2
    assert places.count("a") == places.count("b") == 6 or len(places) == 12


def test_who_was_idle_gets_no_credit_for_it() -> None:
    counting = Counting(make_scheduler(max_running=1))
    counting.ask(Ask("idle", 1, 1))
    counting.step()
    for _ in range(3):
        counting.ask(Ask("busy", 20, 4))
    for _ in range(6):
        counting.step()
    for _ in range(10):
        counting.ask(Ask("idle", 20, 4))
    order = []
    while len(order) < 4:
        order += [sequence.client for sequence in counting.step()]
    assert order.count("busy") == 2


def test_one_client_cannot_fill_the_queue_for_others() -> None:
    counting = Counting(make_scheduler(max_waiting=8, max_waiting_each=4))
    for _ in range(4):
        counting.ask(Ask("crowd", 4, 4))
    with pytest.raises(Overloaded, match="4 requests of this client are waiting"):
        counting.ask(Ask("crowd", 4, 4))
    counting.ask(Ask("single", 4, 4))
    assert counting.scheduler.num_refused == 1


@pytest.mark.parametrize(("seconds", "least", "most"), [(0.01, 0.1, 2.0), (1.0, 10.0, 60.0)])
def test_the_time_to_come_back_is_measured(seconds: float, least: float, most: float) -> None:
    scheduler = make_scheduler(max_waiting=4, max_running=1)
    counting = Counting(scheduler)
    for _ in range(4):
        counting.ask(Ask("a", 20, 50))
    for _ in range(20):
        counting.step()
        scheduler.observe_step(seconds)
    counting.ask(Ask("b", 20, 50))
    with pytest.raises(Overloaded) as caught:
        counting.ask(Ask("c", 20, 50))
    assert least <= caught.value.retry_after_s <= most
