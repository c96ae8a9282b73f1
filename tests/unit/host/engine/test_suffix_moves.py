"""The step loop with suffixes that are moved: every token stands where it should, and nothing moved is shared."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from heron.host.engine.scheduler import SchedulerLimits
from heron.host.engine.sequence import Sequence
from heron.host.engine.step_loop import StepLoop, Vocabulary
from heron.host.engine.suffix_cache import LEAD_TOKENS, LEAST_TOKENS, MOST_DISTANCE, find_span
from heron.wire import Delta, Priority
from unit.host.engine.movable_runner import MovableRunner, movable_answer_of
from unit.host.engine.sequences import check_pages, letter_of, make_sequence

STOPS = frozenset({0})
SUFFIX_MARK, MIDDLE_MARK = 14, 15
SUFFIX = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7]


def make_fill(prefix: list[int], suffix: list[int], max_tokens: int = 3, priority: Priority = "completion") -> Sequence:
    prompt = [13, *prefix, SUFFIX_MARK, *suffix, MIDDLE_MARK]
    sequence = make_sequence(prompt, max_tokens, priority)
    sequence.suffix = find_span(prompt, SUFFIX_MARK, MIDDLE_MARK)
    sequence.is_exact = priority == "background"
    return sequence


def make_loop(runner: MovableRunner, limits: SchedulerLimits | None = None) -> StepLoop:
    return StepLoop(runner, Vocabulary(STOPS, letter_of), limits or SchedulerLimits())


def answer(loop: StepLoop, sequence: Sequence) -> list[int]:
    loop.scheduler.add(sequence)
    token_ids: list[int] = []
    while is_queued(loop, sequence):
        for _, outcome in loop.step():
            assert isinstance(outcome, Delta)
            token_ids += outcome.token_ids
    return token_ids


def expected(sequence: Sequence) -> list[int]:
    return movable_answer_of(sequence.token_ids[: sequence.num_prompt], sequence.max_tokens, STOPS)


def test_a_key_typed_computes_the_key_and_the_lead_of_the_suffix() -> None:
    loop = make_loop(MovableRunner(64, 4))
    first, second = make_fill([1] * 40, SUFFIX), make_fill([1] * 40 + [2], SUFFIX)
    assert answer(loop, first) == expected(first)
    before = loop.counters.prefilled_tokens
    assert answer(loop, second) == expected(second)
    assert loop.counters.prefilled_tokens - before == 1 + LEAD_TOKENS + 1
    assert second.num_cached == second.num_prompt - (1 + LEAD_TOKENS + 1)


def test_a_background_request_computes_its_suffix_and_keeps_it_anew() -> None:
    runner = MovableRunner(64, 4)
    loop = make_loop(runner)
    answer(loop, make_fill([1] * 40, SUFFIX))
    exact = make_fill([1] * 40 + [2], SUFFIX, priority="background")
    assert answer(loop, exact) == expected(exact)
    assert runner.num_restored == 0
    kept = loop.scheduler._suffixes.find(exact.token_ids, exact.suffix or (0, 0))  # type: ignore[union-attr]
    assert kept is not None
    assert kept.kept.start == (exact.suffix or (0, 0))[0]


def test_a_moved_suffix_is_not_shared_with_an_exact_request() -> None:
    """Its pages hold what was computed after another prefix: the prefix cache must not offer them."""
    runner = MovableRunner(64, 1)
    loop = make_loop(runner)
    answer(loop, make_fill([1] * 40, SUFFIX))
    moved = make_fill([1] * 40 + [2], SUFFIX)
    answer(loop, moved)
    exact = make_fill([1] * 40 + [2], SUFFIX, priority="background")
    answer(loop, exact)
    assert exact.num_cached == 1 + 41 + LEAD_TOKENS


def test_after_a_move_the_prompt_is_computed_exactly_in_the_background() -> None:
    runner = MovableRunner(64, 4)
    loop = make_loop(runner)
    answer(loop, make_fill([1] * 40, SUFFIX))
    answer(loop, make_fill([1] * 40 + [2], SUFFIX))
    while loop.has_work:
        loop.step()
    again = make_fill([1] * 40 + [2], SUFFIX)
    assert answer(loop, again) == expected(again)
    assert again.num_cached == again.num_prompt - 1


def test_what_is_computed_in_the_background_gives_way() -> None:
    loop = make_loop(MovableRunner(64, 4), SchedulerLimits(max_step_tokens=8, yielding_tokens=2))
    answer(loop, make_fill([1] * 40, SUFFIX))
    moved = make_fill([1] * 40 + [2], SUFFIX, max_tokens=1)
    loop.scheduler.add(moved)
    while is_queued(loop, moved):
        loop.step()
    assert loop.has_work
    urgent = make_sequence([7] * 16, max_tokens=2)
    loop.scheduler.add(urgent)
    for _ in range(2 + 1):
        loop.step()
    assert not is_queued(loop, urgent)
    assert loop.has_work


def test_a_suffix_far_from_where_it_was_computed_is_computed_anew() -> None:
    runner = MovableRunner(256, 4)
    loop = make_loop(runner)
    answer(loop, make_fill([1] * 40, SUFFIX))
    far = make_fill([1] * 40 + [2] * (MOST_DISTANCE + 1), SUFFIX)
    assert answer(loop, far) == expected(far)
    assert runner.num_restored == 0


def test_short_suffixes_and_other_prompts_have_nothing_to_move() -> None:
    assert find_span([13, 1, SUFFIX_MARK, *SUFFIX[: LEAD_TOKENS + LEAST_TOKENS - 2], MIDDLE_MARK], 14, 15) is None
    assert find_span([13, 1, 2], SUFFIX_MARK, MIDDLE_MARK) is None
    assert find_span([13, 1, MIDDLE_MARK], SUFFIX_MARK, MIDDLE_MARK) is None


PREFIXES = st.lists(st.integers(1, 2), max_size=8)
SUFFIXES = st.sampled_from([SUFFIX, SUFFIX[::-1], SUFFIX[:12]])
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), PREFIXES, SUFFIXES, st.sampled_from(["completion", "chat", "background"])),
        st.tuples(st.just("abort"), st.integers(0, 5)),
        st.tuples(st.just("step"), st.integers(1, 5)),
    ),
    max_size=25,
)


@settings(max_examples=200, deadline=None)
@given(
    operations=OPERATIONS, page_size=st.integers(1, 5), spare_pages=st.integers(0, 20), step_tokens=st.integers(3, 9)
)
def test_whatever_runs_beside_it_every_token_stands_where_it_should(
    operations: list[tuple[object, ...]], page_size: int, spare_pages: int, step_tokens: int
) -> None:
    runner = MovableRunner(30 // page_size + 1 + spare_pages, page_size, max_batch_tokens=step_tokens)
    limits = SchedulerLimits(3, max_step_tokens=step_tokens, yielding_tokens=2, aging_steps=5, background_steps=3)
    loop = make_loop(runner, limits)
    answers: dict[Sequence, list[int]] = {}

    def step() -> None:
        for sequence, outcome in loop.step():
            assert isinstance(outcome, Delta)
            answers[sequence] += outcome.token_ids
        sequences = [*answers, *([loop._refresh] if loop._refresh else [])]
        leases = [sequence.lease for sequence in sequences if sequence.lease is not None]
        check_pages(loop.cache, [page for lease in leases for page in lease.pages[lease.num_shared :]])

    for operation in operations:
        _operate(operation, loop, answers, step)
    while loop.has_work:
        step()
    for sequence, token_ids in answers.items():
        assert token_ids == expected(sequence)


def _operate(
    operation: tuple[object, ...], loop: StepLoop, answers: dict[Sequence, list[int]], step: Callable[[], None]
) -> None:
    match operation:
        case ("add", list(prefix), list(suffix), priority):
            sequence = make_fill(prefix, suffix, priority=priority)  # type: ignore[arg-type]
            loop.scheduler.add(sequence)
            answers[sequence] = []
        case ("abort", int(index)) if waiting := [seq for seq in answers if not answers[seq] and is_queued(loop, seq)]:
            sequence = waiting[index % len(waiting)]
            del answers[sequence]
            loop.remove(sequence)
        case ("step", int(count)):
            for _ in range(count):
                step()


def is_queued(loop: StepLoop, sequence: Sequence) -> bool:
    return sequence in loop.scheduler._waiting or sequence in loop.scheduler._running
