"""One step of the engine: schedule, run, sample. Single-threaded, no IO: `local_engine` gives it a thread."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from heron.host.engine.prefix_cache import PrefixCache
from heron.host.engine.runner import Batch, Float32, Runner
from heron.host.engine.sampler import Chosen
from heron.host.engine.scheduler import Chunk, Scheduler, SchedulerLimits
from heron.host.engine.sequence import Sequence
from heron.wire import Delta, FinishReason, TokenLogprob


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the loop must know of tokens: which end an answer, and the bytes of each (special ones have none)."""

    stop_ids: frozenset[int]
    token_bytes: Callable[[int], bytes]


@dataclass(slots=True)
class Counters:
    """Totals since the start."""

    steps: int = 0
    prefilled_tokens: int = 0
    decoded_tokens: int = 0
    run_s: float = 0.0
    """Time in the model."""
    step_s: float = 0.0
    """Time in steps, the model included."""


class StepLoop:
    """Sequences in, deltas out. `step` runs the model once on what the scheduler chose."""

    def __init__(self, runner: Runner, vocabulary: Vocabulary, limits: SchedulerLimits) -> None:
        self._runner = runner
        self._vocabulary = vocabulary
        self.cache = PrefixCache(runner.num_pages, runner.page_size, runner.copy_page)
        self.scheduler = Scheduler(self.cache, limits)
        self.counters = Counters()

    @property
    def has_work(self) -> bool:
        return self.scheduler.num_running + self.scheduler.num_waiting > 0

    def step(self) -> list[tuple[Sequence, Delta]]:
        """Run one batch; the deltas of the sequences that got a token. What ran is as before when the runner raises."""
        started = time.perf_counter()
        chunks = self.scheduler.plan()
        if not chunks:
            return []
        batch = make_batch(chunks, self._runner.page_size)
        run_started = time.perf_counter()
        logits = self._runner.run(batch)
        self.counters.run_s += time.perf_counter() - run_started
        self._count(chunks)
        for chunk in chunks:
            self.scheduler.commit(chunk)
        deltas = self._sample([chunk.sequence for chunk in chunks if chunk.num_logits], logits)
        self.counters.step_s += time.perf_counter() - started
        return deltas

    def _sample(self, sequences: list[Sequence], logits: Float32) -> list[tuple[Sequence, Delta]]:
        deltas = []
        for sequence, row in zip(sequences, logits, strict=True):
            delta = self._advance(sequence, sequence.sampler.choose(row))
            if delta.finish_reason is not None:
                self.scheduler.remove(sequence)
            deltas.append((sequence, delta))
        return deltas

    def _advance(self, sequence: Sequence, chosen: Chosen) -> Delta:
        """Append a token to its sequence; a token that ends the answer is no part of it."""
        self.counters.decoded_tokens += 1
        if chosen.token_id in self._vocabulary.stop_ids:
            return Delta(sequence.stream.finish(), finish_reason="stop", usage=sequence.usage())
        sequence.token_ids.append(chosen.token_id)
        text = sequence.stream.push(chosen.token_id)
        finish_reason = _finish_reason(sequence)
        if finish_reason is not None:
            text += sequence.stream.finish()
        return Delta(
            text,
            (chosen.token_id,),
            self._logprobs(chosen),
            finish_reason,
            None if finish_reason is None else sequence.usage(),
        )

    def _logprobs(self, chosen: Chosen) -> tuple[TokenLogprob, ...]:
        if chosen.logprob is None:
            return ()
        top = tuple((self._token_text(token_id), token_id, logprob) for token_id, logprob in chosen.top)
        return (TokenLogprob(self._token_text(chosen.token_id), chosen.token_id, chosen.logprob, top),)

    def _token_text(self, token_id: int) -> str:
        return self._vocabulary.token_bytes(token_id).decode("utf-8", errors="replace")

    def _count(self, chunks: list[Chunk]) -> None:
        self.counters.steps += 1
        for chunk in chunks:
            sequence = chunk.sequence
            if sequence.num_computed < sequence.num_prompt:
                self.counters.prefilled_tokens += chunk.num_tokens


def make_batch(chunks: list[Chunk], page_size: int) -> Batch:
    """The arrays a runner takes for chunks."""
    counts = [chunk.num_tokens for chunk in chunks]
    ends = np.cumsum(counts, dtype=np.int32)
    token_ids: list[int] = []
    page_table = np.zeros((len(chunks), max(len(chunk.lease.pages) for chunk in chunks)), np.int32)
    positions = np.empty(ends[-1], np.int32)
    slots = np.empty(ends[-1], np.int32)
    for row, (chunk, end) in enumerate(zip(chunks, ends, strict=True)):
        start, num_tokens = chunk.sequence.num_computed, chunk.num_tokens
        token_ids += chunk.sequence.token_ids[start : start + num_tokens]
        pages = np.array(chunk.lease.pages, np.int32)
        page_table[row, : len(pages)] = pages
        where = np.arange(start, start + num_tokens, dtype=np.int32)
        positions[end - num_tokens : end] = where
        slots[end - num_tokens : end] = pages[where // page_size] * page_size + where % page_size
    return Batch(
        token_ids=np.array(token_ids, np.int32),
        positions=positions,
        slots=slots,
        query_starts=np.concatenate(([0], ends), dtype=np.int32),
        page_table=page_table,
        logit_rows=_logit_rows(chunks, ends.tolist()),
    )


def _logit_rows(chunks: list[Chunk], ends: list[int]) -> np.typing.NDArray[np.int32]:
    rows = [row for chunk, end in zip(chunks, ends, strict=True) for row in range(end - chunk.num_logits, end)]
    return np.array(rows, np.int32)


def _finish_reason(sequence: Sequence) -> FinishReason | None:
    if sequence.stream.stopped:
        return "stop"
    return "length" if sequence.num_answered >= sequence.max_tokens else None
