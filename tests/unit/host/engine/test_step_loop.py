"""The step loop against a model of itself: whatever is shared, evicted, pre-empted or aborted, no answer changes."""

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heron.host.engine.draft import Drafter, LookupDrafter
from heron.host.engine.scheduler import SchedulerLimits
from heron.host.engine.sequence import Sequence
from heron.host.engine.step_loop import StepLoop, Vocabulary
from heron.wire import Delta, Priority, Sampling
from unit.host.engine.fake_runner import FakeRunner, answer_of
from unit.host.engine.scripted_drafter import ScriptedDrafter, right_drafter
from unit.host.engine.sequences import check_pages, letter_of, make_sequence

STOPS = frozenset({0})
VOCABULARY = Vocabulary(STOPS, letter_of)


@dataclass
class Rig:
    """A step loop over a fake runner, and what came out of it."""

    runner: FakeRunner
    limits: SchedulerLimits = field(default_factory=SchedulerLimits)
    drafter: Drafter | None = None
    answers: dict[Sequence, list[int]] = field(default_factory=dict)
    last: dict[Sequence, Delta] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.loop = StepLoop(self.runner, VOCABULARY, self.limits, self.drafter)

    def add(self, sequence: Sequence) -> Sequence:
        self.loop.scheduler.add(sequence)
        self.answers[sequence] = []
        return sequence

    def abort(self, sequence: Sequence) -> None:
        del self.answers[sequence]
        self.loop.remove(sequence)

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
        return greedy_answer(sequence, self.runner.vocab_size)


def greedy_answer(sequence: Sequence, vocab_size: int = 16) -> list[int]:
    return answer_of(sequence.token_ids[: sequence.num_prompt], sequence.max_tokens, vocab_size, STOPS)


def answer_and_end(sequence: Sequence) -> list[int]:
    """What the model says, and the token that ends it, again and again."""
    return greedy_answer(sequence) + [0] * 5


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
    drafts=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=5),
)
def test_answers_do_not_depend_on_what_else_runs_or_is_drafted(
    operations: list[tuple[object, ...]],
    page_size: int,
    spare_pages: int,
    max_step_tokens: int,
    max_running: int,
    drafts: list[tuple[int, int]],
) -> None:
    runner = FakeRunner(20 // page_size + 1 + spare_pages, page_size, max_batch_tokens=max_step_tokens)
    limits = SchedulerLimits(
        max_running, max_step_tokens=max_step_tokens, yielding_tokens=2, aging_steps=5, background_steps=3
    )
    rig = Rig(runner, limits, _script(drafts))
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
        assert usage.accepted_draft_tokens <= min(usage.draft_tokens, usage.completion_tokens + 1)
    check_pages(rig.loop.cache, [])
    assert rig.loop.cache.num_available == runner.num_pages


def _script(drafts: list[tuple[int, int]]) -> Drafter | None:
    """A drafter by pairs of a draft's length and how much of it is right; ends of answers are drafted too."""
    if not drafts:
        return None
    lengths, rights = cycle(length for length, _ in drafts), cycle(right for _, right in drafts)
    return ScriptedDrafter(answer_and_end, lambda: next(lengths), lambda: next(rights))


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


def test_a_right_draft_saves_steps_and_is_counted() -> None:
    rig = Rig(FakeRunner(64, 4), drafter=right_drafter(answer_and_end))
    sequence = rig.add(make_sequence([4, 1], 11))
    assert len(rig.expected(sequence)) == 11
    rig.finish()
    assert rig.answers[sequence] == rig.expected(sequence)
    assert rig.loop.counters.steps == 1 + 2
    usage = rig.last[sequence].usage
    assert usage is not None
    assert (usage.draft_tokens, usage.accepted_draft_tokens) == (8, 8)
    assert (rig.loop.counters.drafted_tokens, rig.loop.counters.accepted_tokens) == (8, 8)


def test_a_wrong_draft_costs_no_step_and_leaves_nothing_shared() -> None:
    wrong = ScriptedDrafter(answer_and_end, lambda: 3, lambda: 0)
    rig = Rig(FakeRunner(64, 2), drafter=wrong)
    sequence = rig.add(make_sequence([4, 1], 11))
    rig.finish()
    assert rig.loop.counters.steps == 11
    assert rig.loop.counters.accepted_tokens == 0
    again = rig.add(make_sequence([*sequence.token_ids, 1, 2, 1], 4))
    rig.finish()
    assert rig.answers[again] == rig.expected(again)
    assert rig.last[again].usage.cached_tokens == 12  # type: ignore[union-attr]


def test_a_draft_ends_where_the_answer_does() -> None:
    drafter = right_drafter(answer_and_end, 9)
    rig = Rig(FakeRunner(64, 4), drafter=drafter)
    sequence = rig.add(make_sequence([4, 1], 6))
    rig.finish()
    assert rig.runner.num_tokens_run == 2 + 1 + 4
    assert rig.last[sequence].finish_reason == "length"


def _ending_prompt() -> list[int]:
    """A prompt whose answer ends by itself after three to nine tokens."""
    prompts = ([first, second] for first in range(1, 16) for second in range(1, 16))
    return next(prompt for prompt in prompts if 3 <= len(greedy_answer(make_sequence(prompt, 10))) <= 9)


def test_an_end_within_a_draft_ends_the_answer() -> None:
    drafter = right_drafter(answer_and_end, 12)
    rig = Rig(FakeRunner(64, 4), drafter=drafter)
    sequence = rig.add(make_sequence(_ending_prompt(), 40))
    rig.finish()
    assert rig.loop.counters.steps == 2
    assert rig.last[sequence].finish_reason == "stop"
    assert rig.answers[sequence] == rig.expected(sequence)
    assert drafter.learned[sequence] == [*rig.answers[sequence], 0]
    assert drafter.remembered == [sequence]


@pytest.mark.parametrize("temperature", [0.0, 1.3])
def test_drafts_change_nothing_that_is_told(temperature: float) -> None:
    """Stop strings, bias, log probabilities, and with a seed the very same random answer."""
    sampling = Sampling(
        temperature=temperature, seed=11, top_k=9, logprobs=2, logit_bias=((3, 1.5), (0, -9.0)), stop=("zz", "fk")
    )

    def tell(drafter: Drafter | None) -> tuple[str, list[int], list[object], str | None]:
        rig = Rig(FakeRunner(64, 4), drafter=drafter)
        sequence, deltas = rig.add(make_sequence([4, 1], 30, sampling=sampling)), []
        while rig.loop.has_work:
            deltas += [delta for _, delta in rig.loop.step()]
        logprobs = [logprob for delta in deltas for logprob in delta.logprobs]
        assert rig.answers.keys() == {sequence}
        text = "".join(delta.text for delta in deltas)
        return text, sequence.token_ids, logprobs, deltas[-1].finish_reason  # type: ignore[return-value]

    plain = tell(None)
    answer = plain[1][2:]
    assert len(plain[2]) == len(answer) > 5
    mixed = cycle((0, 2, 1, 8))
    for length in (1, 3, 8):
        assert tell(right_drafter(lambda _: [*answer, 1, 1, 1, 1], length)) == plain
        assert tell(ScriptedDrafter(lambda _: [*answer, 1], partial(int, length), lambda: next(mixed))) == plain


def test_a_stop_string_met_within_a_draft_ends_the_answer_there() -> None:
    text = "".join(letter_of(token).decode() for token in greedy_answer(make_sequence([4, 1], 11)))
    rig = Rig(FakeRunner(64, 4), drafter=right_drafter(answer_and_end, 8))
    sequence = rig.add(make_sequence([4, 1], 11, sampling=Sampling(stop=(text[3:5],))))
    rig.finish()
    assert rig.loop.counters.steps == 2
    assert rig.last[sequence].finish_reason == "stop"
    assert rig.answers[sequence] == greedy_answer(make_sequence([4, 1], 5))


def test_samples_have_the_distribution_of_the_model_whatever_is_drafted() -> None:
    """Answers of three tokens over many seeds, some with drafts and others without: chi squared."""

    def count_answers(drafter: Drafter | None, first_seed: int) -> Counter[tuple[int, ...]]:
        answers: Counter[tuple[int, ...]] = Counter()
        for seed in range(first_seed, first_seed + 3000):
            rig = Rig(FakeRunner(4, 4, vocab_size=3), drafter=drafter)
            sequence = rig.add(make_sequence([1, 2], 3, sampling=Sampling(temperature=1.0, seed=seed)))
            while rig.loop.has_work:
                rig.step()
            answers[tuple(rig.answers[sequence])] += 1
        return answers

    drafted = count_answers(ScriptedDrafter(lambda _: [1, 2, 1, 2], lambda: 2, lambda: 2), 0)
    plain = count_answers(None, 100_000)
    cells = [cell for cell in drafted | plain if drafted[cell] + plain[cell] >= 20]
    assert len(cells) >= 8
    squares = [(drafted[cell] - plain[cell]) ** 2 / (drafted[cell] + plain[cell]) for cell in cells]
    assert sum(squares) < len(cells) + 4 * np.sqrt(2 * len(cells)), "four standard deviations"


def test_only_decoding_sequences_draft_and_only_the_most_urgent() -> None:
    drafter = right_drafter(answer_and_end)
    rig = Rig(FakeRunner(128, 4), SchedulerLimits(max_step_tokens=64), drafter)
    chat = rig.add(make_sequence([4, 1], 30, "chat"))
    rig.step()
    assert drafter.spaces == []
    rig.step()
    assert chat.num_drafted > 0
    drafted = chat.num_drafted
    completion = rig.add(make_sequence([4, 2], 6))
    assert len(rig.expected(completion)) == 6
    while rig.last.get(completion, Delta()).finish_reason is None:
        rig.step()
    assert chat.num_drafted == drafted
    assert completion.num_drafted > 0
    rig.step()
    assert chat.num_drafted > drafted


def test_drafts_shrink_when_somebody_waits_and_when_a_prefill_takes_the_step() -> None:
    drafter = right_drafter(answer_and_end)
    limits = SchedulerLimits(max_running=2, max_step_tokens=40, max_drafts=20, waiting_drafts=3)
    rig = Rig(FakeRunner(128, 4), limits, drafter)
    rig.add(make_sequence([4, 1], 30))
    rig.step()
    rig.step()
    rig.add(make_sequence([1] * 30, 8))
    rig.step()
    rig.add(make_sequence([2] * 30, 8))
    rig.step()
    assert [(space.num_tokens, space.room) for space in drafter.spaces] == [(1, 20), (31, 9), (2, 3)]


def test_a_draft_takes_no_page_from_anybody() -> None:
    rig = Rig(FakeRunner(5, 4), drafter=right_drafter(answer_and_end, 9))
    first = rig.add(make_sequence([4, 1], 12))
    second = rig.add(make_sequence([4, 2], 6))
    rig.step()
    rig.step()
    assert rig.loop.scheduler.num_preempted == 0
    rig.finish()
    assert rig.answers == {first: rig.expected(first), second: rig.expected(second)}


def test_steps_are_timed_when_all_their_tokens_want_logits() -> None:
    drafter = right_drafter(answer_and_end)
    rig = Rig(FakeRunner(64, 4), drafter=drafter)
    rig.add(make_sequence([4, 1, 2], 7))
    rig.finish()
    assert drafter.steps == [5, 1]


def test_lookup_drafts_save_steps_where_a_model_repeats_itself() -> None:
    class Repeating(FakeRunner):
        """Answers each token with the next of a circle of nine."""

        def run(self, batch):  # type: ignore[no-untyped-def]
            logits = np.zeros((len(batch.logit_rows), 16), np.float32)
            logits[np.arange(len(logits)), batch.token_ids[batch.logit_rows] % 9 + 1] = 9
            return logits

    rig = Rig(Repeating(64, 4), drafter=LookupDrafter())
    sequence = rig.add(make_sequence([1], 100))
    rig.finish()
    assert rig.answers[sequence] == [number % 9 + 1 for number in range(1, 101)]
    assert rig.loop.counters.steps < 50


def test_warming_up_runs_the_model_and_leaves_all_as_it_was() -> None:
    rig = Rig(FakeRunner(64, 4))
    rig.loop.warm_up()
    assert rig.runner.num_tokens_run > 1
    assert rig.loop.counters.steps == 0
    sequence = rig.add(make_sequence([1, 2, 3]))
    rig.finish()
    assert rig.answers[sequence] == rig.expected(sequence)
    assert rig.last[sequence].usage.cached_tokens == 0  # type: ignore[union-attr]
