"""The step loop against a model of itself: whatever is shared, evicted, pre-empted or aborted, no answer changes."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heron.host.engine.scheduler import SchedulerLimits
from heron.host.engine.sequence import Sequence
from heron.host.engine.step_loop import StepLoop, Vocabulary
from heron.wire import Delta, Priority, Sampling
from unit.host.engine.fake_runner import FakeRunner, answer_of
from unit.host.engine.sequences import check_pages, letter_of, make_sequence

STOPS = frozenset({0})
VOCABULARY = Vocabulary(STOPS, letter_of)


@dataclass
class Rig:
    """A step loop over a fake runner, and what came out of it."""

    runner: FakeRunner
    limits: SchedulerLimits = field(default_factory=SchedulerLimits)
    answers: dict[Sequence, list[int]] = field(default_factory=dict)
    last: dict[Sequence, Delta] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.loop = StepLoop(self.runner, VOCABULARY, self.limits)

    def add(self, sequence: Sequence) -> Sequence:
        self.loop.scheduler.add(sequence)
        self.answers[sequence] = []
        return sequence

    def abort(self, sequence: Sequence) -> None:
        del self.answers[sequence]
        self.loop.scheduler.remove(sequence)

    def step(self) -> None:
        for sequence, delta in self.loop.step():
            self.answers[sequence] += delta.token_ids
            self.last[sequence] = delta

    def finish(self) -> None:
        for _ in range(10_000):
            if not self.loop.has_work:
                return
            self.step()
            self.check()
        raise AssertionError("the loop makes no progress")

    def check(self) -> None:
        leases = [sequence.lease for sequence in self.answers if sequence.lease is not None]
        check_pages(self.loop.cache, [page for lease in leases for page in lease.pages[lease.num_shared :]])

    def expected(self, sequence: Sequence) -> list[int]:
        prompt = sequence.token_ids[: sequence.num_prompt]
        return answer_of(prompt, sequence.max_tokens, self.runner.vocab_size, STOPS)


PRIORITIES = st.sampled_from(["completion", "chat", "background"])
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(st.integers(1, 2), min_size=1, max_size=14), st.integers(1, 6), PRIORITIES),
        st.tuples(st.just("abort"), st.integers(0, 7)),
        st.tuples(st.just("step"), st.integers(1, 6)),
    ),
    max_size=30,
)


@settings(max_examples=300, deadline=None)
@given(
    operations=OPERATIONS,
    page_size=st.integers(1, 5),
    spare_pages=st.integers(0, 12),
    max_step_tokens=st.integers(3, 9),
    max_running=st.integers(1, 3),
)
def test_answers_do_not_depend_on_what_else_runs(
    operations: list[tuple[object, ...]], page_size: int, spare_pages: int, max_step_tokens: int, max_running: int
) -> None:
    runner = FakeRunner(20 // page_size + 1 + spare_pages, page_size, max_batch_tokens=max_step_tokens)
    limits = SchedulerLimits(
        max_running, max_step_tokens=max_step_tokens, yielding_tokens=2, aging_steps=5, background_steps=3
    )
    rig = Rig(runner, limits)
    for operation in operations:
        match operation:
            case ("add", list(prompt), int(max_tokens), priority):
                rig.add(make_sequence(prompt, max_tokens, priority))  # type: ignore[arg-type]
            case ("abort", int(index)) if alive := [seq for seq in rig.answers if _is_alive(rig, seq)]:
                rig.abort(alive[index % len(alive)])
            case ("step", int(count)):
                for _ in range(count):
                    rig.step()
        rig.check()
    rig.finish()
    for sequence, answer in rig.answers.items():
        assert answer == rig.expected(sequence)
        usage = rig.last[sequence].usage
        assert usage is not None
        assert (usage.prompt_tokens, usage.completion_tokens) == (sequence.num_prompt, len(answer))
        assert usage.cached_tokens < usage.prompt_tokens
    check_pages(rig.loop.cache, [])
    assert rig.loop.cache.num_available == runner.num_pages


def _is_alive(rig: Rig, sequence: Sequence) -> bool:
    return sequence not in rig.last or rig.last[sequence].finish_reason is None


def test_a_prompt_seen_before_is_computed_only_from_where_it_differs() -> None:
    rig = Rig(FakeRunner(64, 4))
    prompt = list(range(1, 12))
    rig.add(make_sequence(prompt, 1))
    rig.finish()
    assert rig.runner.num_tokens_run == 11
    typed = rig.add(make_sequence([*prompt[:10], 14, 15], 1))
    rig.finish()
    assert rig.runner.num_tokens_run == 11 + 2
    assert rig.last[typed].usage.cached_tokens == 10  # type: ignore[union-attr]
    assert rig.answers[typed] == rig.expected(typed)


def test_the_last_prompt_token_is_computed_even_when_all_is_cached() -> None:
    rig = Rig(FakeRunner(64, 4))
    for _ in range(2):
        sequence = rig.add(make_sequence([1, 2, 3, 4, 5, 6, 7, 8], 1))
        rig.finish()
    assert rig.last[sequence].usage.cached_tokens == 7  # type: ignore[union-attr]
    assert rig.answers[sequence] == rig.expected(sequence)


def test_what_an_aborted_sequence_computed_stays_cached() -> None:
    rig = Rig(FakeRunner(64, 4), SchedulerLimits(max_step_tokens=6))
    prompt = list(range(1, 15))
    aborted = rig.add(make_sequence(prompt))
    rig.step()
    rig.abort(aborted)
    again = rig.add(make_sequence(prompt, 1))
    rig.finish()
    assert rig.last[again].usage.cached_tokens == 6  # type: ignore[union-attr]


def test_equal_prompts_in_the_queue_are_computed_once() -> None:
    rig = Rig(FakeRunner(64, 4), SchedulerLimits(max_running=1))
    for _ in range(3):
        rig.add(make_sequence([5, 6, 7, 8, 9], 1))
    rig.finish()
    assert len({tuple(answer) for answer in rig.answers.values()}) == 1
    assert rig.runner.num_tokens_run == 5 + 1 + 1


def test_a_seed_gives_the_same_answer_in_any_company() -> None:
    def draw(priority: Priority, company: int) -> list[int]:
        rig = Rig(FakeRunner(64, 4))
        sampled = make_sequence([1, 2, 3], 8, priority, Sampling(temperature=1.0, seed=7))
        others = [make_sequence([4 + index], 6, sampling=Sampling(temperature=1.5, seed=1)) for index in range(company)]
        for sequence in (*others, sampled):
            rig.add(sequence)
        rig.finish()
        return rig.answers[sampled]

    assert draw("chat", 0) == draw("chat", 3) == draw("background", 2)


def test_stops_at_a_stop_string_and_counts_the_tokens_of_the_answer() -> None:
    rig = Rig(FakeRunner(64, 4))
    plain = rig.add(make_sequence([3, 1], 6))
    rig.finish()
    text = "".join(letter_of(token).decode() for token in rig.answers[plain])
    stopped = rig.add(make_sequence([3, 1], 6, sampling=Sampling(stop=(text[1:3],))))
    rig.finish()
    assert rig.last[stopped].finish_reason == "stop"
    assert rig.last[stopped].usage.completion_tokens == 3  # type: ignore[union-attr]


def test_a_failing_runner_leaves_nothing_behind() -> None:
    rig = Rig(FakeRunner(64, 4), SchedulerLimits(max_step_tokens=5))
    broken = rig.add(make_sequence([1, 2, 3, 4, 5, 6, 7, 8, 9]))
    rig.step()
    rig.runner.error = RuntimeError("device lost")
    with pytest.raises(RuntimeError):
        rig.step()
    assert rig.loop.scheduler.drain() == [broken]
    rig.runner.error = None
    again = rig.add(make_sequence([1, 2, 3, 4, 5, 6, 7, 8, 9]))
    rig.finish()
    assert rig.answers[again] == rig.expected(again)
