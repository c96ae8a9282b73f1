"""Sequences instead of pages: whatever is shared, forked, dropped or forgotten, no answer changes."""

from dataclasses import dataclass, field
from itertools import cycle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heron.host.engine.mlc_machine import MlcSizes, Run
from heron.host.engine.mlc_runner import MlcRunner
from heron.host.engine.runner import Float32
from heron.host.engine.scheduler import SchedulerLimits
from heron.host.engine.step_loop import StepLoop, Vocabulary
from unit.host.engine.batches import Part, make_batch
from unit.host.engine.fake_runner import answer_of, digest_of, logits_of
from unit.host.engine.scripted_drafter import ScriptedDrafter
from unit.host.engine.sequences import letter_of, make_sequence

VOCABULARY = 16
STOPS = frozenset({0})


@dataclass
class ToyMachine:
    """Sequences as lists of tokens; pages are counted as TVM's cache does, which refuses what does not fit.

    A page is a name: forks share the full ones and have a copy of the one begun.
    """

    sizes: MlcSizes
    tokens: dict[int, list[int]] = field(default_factory=dict)
    pages: dict[int, list[object]] = field(default_factory=dict)
    num_tokens_run: int = 0
    error: Exception | None = None
    closed: bool = False

    @property
    def num_free_pages(self) -> int:
        used = {id(page) for pages in self.pages.values() for page in pages}
        return self.sizes.cache_tokens // self.sizes.page_tokens - len(used)

    def add(self, sequence: int) -> None:
        assert sequence not in self.tokens
        self.tokens[sequence], self.pages[sequence] = [], []

    def fork(self, parent: int, child: int, num_tokens: int) -> None:
        assert 0 < num_tokens <= len(self.tokens[parent])
        full = num_tokens // self.sizes.page_tokens
        self.tokens[child], self.pages[child] = self.tokens[parent][:num_tokens], self.pages[parent][:full]
        self._grow(child)

    def drop_last(self, sequence: int, num_tokens: int) -> None:
        assert 0 < num_tokens < len(self.tokens[sequence])
        del self.tokens[sequence][-num_tokens:]
        del self.pages[sequence][self._count_pages(sequence) :]

    def remove(self, sequence: int) -> None:
        del self.tokens[sequence], self.pages[sequence]

    def clear(self) -> None:
        self.tokens.clear()
        self.pages.clear()

    def run(self, run: Run) -> Float32:
        assert len(run.sequences) == len(set(run.sequences)) <= self.sizes.max_sequences
        assert 0 < len(run.token_ids) == sum(run.lengths) <= self.sizes.max_tokens
        if self.error:
            raise self.error
        digests: list[int] = []
        new = iter(run.token_ids.tolist())
        for sequence, length in zip(run.sequences, run.lengths, strict=True):
            for _ in range(length):
                self.tokens[sequence].append(next(new))
                digests.append(digest(self.tokens[sequence]))
            self._grow(sequence)
        self.num_tokens_run += len(digests)
        rows = [logits_of(digests[row], VOCABULARY) for row in run.rows]
        return np.stack(rows) if rows else np.zeros((0, VOCABULARY), np.float32)

    def close(self) -> None:
        self.closed = True

    def _grow(self, sequence: int) -> None:
        for _ in range(self._count_pages(sequence) - len(self.pages[sequence])):
            assert self.num_free_pages, "the cache is full"
            self.pages[sequence].append(object())

    def _count_pages(self, sequence: int) -> int:
        return -(-len(self.tokens[sequence]) // self.sizes.page_tokens)


def digest(tokens: list[int]) -> int:
    """What `fake_runner` makes of a sequence."""
    total = before = 0
    for position, token_id in enumerate(tokens):
        before = digest_of(before, token_id, position)
        total = (total * 31 + before) & (2**61 - 1)
    return total


def make_runner(num_pages: int = 16, spare: int = 8, most: int = 4, page: int = 4) -> tuple[MlcRunner, ToyMachine]:
    machine = ToyMachine(MlcSizes(most, 12, (num_pages + spare) * page, page))
    return MlcRunner(machine, VOCABULARY, num_pages), machine


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(st.integers(1, 2), min_size=1, max_size=14), st.integers(1, 6)),
        st.tuples(st.just("abort"), st.integers(0, 7)),
        st.tuples(st.just("step"), st.integers(1, 6)),
    ),
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(
    operations=OPERATIONS,
    page=st.integers(1, 5),
    spare=st.integers(2, 9),
    most=st.integers(1, 4),
    drafts=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=5),
)
def test_answers_are_those_of_each_sequence_alone(
    operations: list[tuple[object, ...]], page: int, spare: int, most: int, drafts: list[tuple[int, int]]
) -> None:
    """Caches from one that holds hardly more than one sequence up; prompts of two letters share many beginnings."""
    runner, machine = make_runner(20 // page + 1, spare, most, page)
    lengths, rights = cycle([length for length, _ in drafts] or [0]), cycle([right for _, right in drafts] or [0])
    drafter = ScriptedDrafter(
        lambda sequence: answer_to(sequence.token_ids[: sequence.num_prompt], sequence.max_tokens) + [0] * 5,
        lambda: next(lengths),
        lambda: next(rights),
    )
    loop = StepLoop(runner, Vocabulary(STOPS, letter_of), SchedulerLimits(3, max_step_tokens=9), drafter)
    alive, answers = [], {}

    def step() -> None:
        for sequence, delta in loop.step():
            answers[sequence] += delta.token_ids  # type: ignore[union-attr]
            if delta.finish_reason is not None:  # type: ignore[union-attr]
                alive.remove(sequence)

    for operation in operations:
        match operation:
            case ("add", list(prompt), int(max_tokens)):
                alive.append(make_sequence(prompt, max_tokens))
                answers[alive[-1]] = list[int]()
                loop.scheduler.add(alive[-1])
            case ("abort", int(index)) if alive:
                sequence = alive.pop(index % len(alive))
                del answers[sequence]
                loop.remove(sequence)
            case ("step", int(count)):
                for _ in range(count):
                    step()
    for _ in range(2_000):
        if not loop.has_work:
            break
        step()
    assert not alive
    for sequence, answer in answers.items():
        assert answer == answer_to(sequence.token_ids[: sequence.num_prompt], sequence.max_tokens)
    assert len(machine.tokens) <= 32 + most


def answer_to(prompt: list[int], max_tokens: int) -> list[int]:
    return answer_of(prompt, max_tokens, VOCABULARY, STOPS)


def test_a_sequence_goes_on_where_it_ended_and_others_from_a_fork() -> None:
    runner, machine = make_runner()
    runner.run(make_batch(Part([1, 2, 3, 4, 5], [0, 1]), page=4))
    runner.run(make_batch(Part([6], [0, 1], 5), page=4))
    assert list(machine.tokens.values()) == [[1, 2, 3, 4, 5, 6]]
    runner.copy_page(1, 7)
    runner.run(make_batch(Part([9], [0, 7], 5), page=4))
    assert list(machine.tokens.values()) == [[1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 9]]
    assert machine.num_tokens_run == 7


def test_what_is_written_over_is_dropped() -> None:
    """As after a draft that did not come true: no second sequence is begun."""
    runner, machine = make_runner()
    runner.run(make_batch(Part([1, 2, 3, 8, 8], [0, 1]), page=4))
    logits = runner.run(make_batch(Part([4], [0, 1], 3), page=4))
    assert list(machine.tokens.values()) == [[1, 2, 3, 4]]
    assert (logits == logits_of(digest([1, 2, 3, 4]), VOCABULARY)).all()


def test_two_parts_that_begin_alike_do_not_disturb_each_other() -> None:
    runner, machine = make_runner()
    runner.run(make_batch(Part([1, 2, 3, 4], [0]), page=4))
    logits = runner.run(make_batch(Part([5], [0, 1], 4), Part([6], [0, 2], 4), page=4))
    assert sorted(machine.tokens.values()) == [[1, 2, 3, 4, 5], [1, 2, 3, 4, 6]]
    assert (logits == [logits_of(digest([1, 2, 3, 4, last]), VOCABULARY) for last in (5, 6)]).all()


def test_what_the_cache_had_no_room_for_is_computed_again() -> None:
    runner, machine = make_runner(num_pages=8, spare=1)
    runner.run(make_batch(Part([1] * 12, [0, 1, 2]), page=4))
    for pages in ([3, 4, 5], [5, 6, 7]):
        runner.run(make_batch(Part([pages[0]] * 12, pages), page=4))
    assert [1] * 12 not in machine.tokens.values()
    logits = runner.run(make_batch(Part([2], [0, 1, 2, 3], 12), page=4))
    assert (logits == logits_of(digest([1] * 12 + [2]), VOCABULARY)).all()
    assert machine.num_tokens_run == 3 * 12 + 13


def test_a_run_that_fails_leaves_nothing_that_is_believed() -> None:
    runner, machine = make_runner()
    runner.run(make_batch(Part([1, 2, 3], [0]), page=4))
    machine.error = RuntimeError("device lost")
    with pytest.raises(RuntimeError):
        runner.run(make_batch(Part([4], [0], 3), page=4))
    assert not machine.tokens
    machine.error = None
    logits = runner.run(make_batch(Part([5], [0], 3), page=4))
    assert (logits == logits_of(digest([1, 2, 3, 5]), VOCABULARY)).all()
    runner.close()
    assert machine.closed
