"""One step of the engine: schedule, draft, run, sample. Single-threaded, no IO: `local_engine` gives it a thread."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from heron.errors import HeronError, InvalidRequest
from heron.host.engine.draft import Drafter, StepSpace
from heron.host.engine.healing import Healing
from heron.host.engine.merging import Outcome, join_deltas
from heron.host.engine.prefix_cache import PrefixCache, common_length
from heron.host.engine.runner import Batch, Float32, Runner
from heron.host.engine.sampler import Chosen
from heron.host.engine.scheduler import Chunk, Scheduler, SchedulerLimits
from heron.host.engine.sequence import BACKGROUND, Sequence
from heron.host.engine.spans import Share, StepSpan, Work, new_spans
from heron.wire import Delta, FinishReason, TokenLogprob

_WARM_UP_TOKENS = 8


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
    background_prefilled_tokens: int = 0
    """Those of background sequences among them."""
    decoded_tokens: int = 0
    drafted_tokens: int = 0
    accepted_tokens: int = 0
    """Drafted tokens that the model chose too."""
    run_s: float = 0.0
    """Time in the model."""
    step_s: float = 0.0
    """Time in steps, the model included."""


class StepLoop:
    """Sequences in, deltas out. `step` runs the model once on what the scheduler chose."""

    def __init__(
        self, runner: Runner, vocabulary: Vocabulary, limits: SchedulerLimits, drafter: Drafter | None = None
    ) -> None:
        self._runner = runner
        self._vocabulary = vocabulary
        self._drafter = drafter
        self.cache = PrefixCache(runner.num_pages, runner.page_size, runner.copy_page)
        self.scheduler = Scheduler(self.cache, limits)
        self.counters = Counters()
        self.spans = new_spans()

    @property
    def has_work(self) -> bool:
        return self.scheduler.num_running + self.scheduler.num_waiting > 0

    def warm_up(self) -> None:
        """Run one token, then a few, in pages nobody uses yet: reads the weights and starts the threads of the device.

        To be called before the first step, on the thread of the steps.
        """
        for num_tokens in (1, _WARM_UP_TOKENS):
            places = np.arange(num_tokens, dtype=np.int32)
            pages = np.arange(-(-num_tokens // self._runner.page_size), dtype=np.int32)
            starts, rows = np.array([0, num_tokens], np.int32), places[-1:]
            self._runner.run(Batch(np.zeros_like(places), places, places, starts, pages[np.newaxis], rows))

    def step(self) -> list[Outcome]:
        """Run one batch; the deltas of the sequences that got tokens, or the errors that ended them.

        What ran is as before when the runner raises.
        """
        started = time.monotonic()
        chunks = self._add_drafts(self.scheduler.plan())
        if not chunks:
            return []
        batch = make_batch(chunks, self._runner.page_size)
        run_started = time.monotonic()
        logits = self._runner.run(batch)
        run_s = time.monotonic() - run_started
        shares = self._count(chunks)
        deltas = self._commit(chunks, logits)
        self._count_time(batch, StepSpan(started, time.monotonic(), run_s, shares))
        return deltas

    def remove(self, sequence: Sequence) -> None:
        """Take out a sequence that is finished or aborted; its text serves the drafts of others."""
        self.scheduler.remove(sequence)
        if self._drafter is not None:
            self._drafter.remember(sequence)

    def _add_drafts(self, chunks: list[Chunk]) -> list[Chunk]:
        """Let the most urgent of those that decode verify drafts; others would only make them wait for longer."""
        rank = min((chunk.sequence.rank for chunk in chunks), default=0)
        decoding = [chunk for chunk in chunks if _is_decoding(chunk) and chunk.sequence.rank == rank]
        if self._drafter is None or not decoding:
            return chunks
        space = StepSpace(sum(chunk.num_tokens for chunk in chunks), self.scheduler.space(chunks))
        drafts = self._drafter.draft([chunk.sequence for chunk in decoding], space)
        extended = {
            id(chunk): self.scheduler.extend(chunk, _useful(draft, chunk.sequence))
            for chunk, draft in zip(decoding, drafts, strict=True)
        }
        return [extended.get(id(chunk), chunk) for chunk in chunks]

    def _commit(self, chunks: list[Chunk], logits: Float32) -> list[Outcome]:
        outcomes: list[Outcome] = []
        row = 0
        for chunk in chunks:
            if not chunk.num_logits:
                self.scheduler.commit(chunk)
                continue
            outcome = self._verify_or_fail(chunk, logits[row : row + chunk.num_logits])
            row += chunk.num_logits
            if isinstance(outcome, HeronError) or outcome.finish_reason is not None:
                self.remove(chunk.sequence)
            outcomes.append((chunk.sequence, outcome))
        return outcomes

    def _verify_or_fail(self, chunk: Chunk, logits: Float32) -> Delta | HeronError:
        """A grammar that proves too complex ends its own sequence, not its neighbours."""
        try:
            return self._verify(chunk, logits)
        except InvalidRequest as error:
            return error

    def _verify(self, chunk: Chunk, logits: Float32) -> Delta:
        """Sample row by row for as long as the draft was right, and commit what it was right about.

        Each row is sampled as without a draft, so the answer is the same, random ones with a seed included.
        """
        sequence, came, deltas = chunk.sequence, [], []
        for row, guess in zip_longest(logits, chunk.draft):
            chosen = _choose(sequence, row)
            came.append(chosen.token_id)
            sequence.num_accepted += chosen.token_id == guess
            deltas.append(self._advance(sequence, chosen))
            if chosen.token_id != guess or deltas[-1].finish_reason is not None:
                break
        if deltas[-1].finish_reason is None:
            deltas += self._append_forced(sequence)
        num_right = common_length(chunk.draft, came)
        self.counters.accepted_tokens += num_right
        delta = join_deltas(deltas)
        self.scheduler.commit(chunk, len(chunk.draft) - min(num_right, len(delta.token_ids)))
        if self._drafter is not None:
            self._drafter.learn(sequence, came)
        return delta

    def _append_forced(self, sequence: Sequence) -> list[Delta]:
        """Append what the grammar leaves no choice of; the next step computes it in one piece, like a prompt."""
        deltas: list[Delta] = []
        while sequence.matcher is not None and (forced := sequence.matcher.take_forced()) is not None:
            deltas.append(self._advance(sequence, Chosen(forced)))
            if deltas[-1].finish_reason is not None:
                break
        return deltas

    def _advance(self, sequence: Sequence, chosen: Chosen) -> Delta:
        """Append a token to its sequence; a token that ends the answer is no part of it."""
        self.counters.decoded_tokens += 1
        if chosen.token_id in self._vocabulary.stop_ids:
            return Delta(sequence.stream.finish(), finish_reason="stop", usage=sequence.usage())
        sequence.token_ids.append(chosen.token_id)
        if sequence.matcher is not None:
            sequence.matcher.accept(chosen.token_id)
        text = sequence.stream.push(chosen.token_id)
        if sequence.healing is not None and self._heal(sequence, sequence.healing, chosen.token_id):
            return Delta(text, usage=sequence.usage())
        finish_reason = _finish_reason(sequence)
        if finish_reason is not None:
            text += sequence.stream.finish()
        return Delta(
            text,
            (chosen.token_id,),
            self._logprobs(chosen),
            finish_reason,
            sequence.usage(),
        )

    def _heal(self, sequence: Sequence, healing: Healing, token_id: int) -> bool:
        """Go on past a token that spells what was taken back of the prompt; whether it does nothing else."""
        data = self._vocabulary.token_bytes(token_id)
        is_hidden = len(data) <= healing.num_left
        healing.accept(data)
        sequence.num_hidden += is_hidden
        if healing.done:
            sequence.healing = None
        return is_hidden

    def _logprobs(self, chosen: Chosen) -> tuple[TokenLogprob, ...]:
        if chosen.logprob is None:
            return ()
        top = tuple((self._token_text(token_id), token_id, logprob) for token_id, logprob in chosen.top)
        return (TokenLogprob(self._token_text(chosen.token_id), chosen.token_id, chosen.logprob, top),)

    def _token_text(self, token_id: int) -> str:
        return self._vocabulary.token_bytes(token_id).decode("utf-8", errors="replace")

    def _count(self, chunks: list[Chunk]) -> tuple[Share, ...]:
        """Count what a step computes; each sequence's part in it. To be called before the step is committed."""
        self.counters.steps += 1
        shares = []
        for chunk in chunks:
            sequence = chunk.sequence
            is_prompt = sequence.num_computed < sequence.num_prompt
            work: Work = "prefill" if is_prompt else "decode"
            shares.append(Share(sequence.request_id, work, chunk.num_tokens, len(chunk.draft)))
            if is_prompt:
                self.counters.prefilled_tokens += chunk.num_tokens
                self.counters.background_prefilled_tokens += chunk.num_tokens * (sequence.lane == BACKGROUND)
            sequence.num_drafted += len(chunk.draft)
            self.counters.drafted_tokens += len(chunk.draft)
        return tuple(shares)

    def _count_time(self, batch: Batch, span: StepSpan) -> None:
        self.spans.append(span)
        seconds = span.end_s - span.begin_s
        self.counters.run_s += span.run_s
        self.counters.step_s += seconds
        self.scheduler.observe_step(seconds)
        if self._drafter is not None and len(batch.logit_rows) == len(batch.token_ids):
            self._drafter.observe_step(len(batch.token_ids), seconds)


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
        token_ids += [*chunk.sequence.token_ids[start : start + num_tokens], *chunk.draft]
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


def _is_decoding(chunk: Chunk) -> bool:
    """Whether the chunk is one token after the first of the answer."""
    return chunk.num_tokens == chunk.num_logits == 1 and chunk.sequence.num_answered > 0


def _choose(sequence: Sequence, logits: Float32) -> Chosen:
    """The next token by logits [vocab_size], or the one a grammar leaves."""
    if sequence.healing is not None:
        return sequence.sampler.choose(logits, sequence.healing.allowed())
    if sequence.matcher is None:
        return sequence.sampler.choose(logits)
    forced = sequence.matcher.take_forced()
    return sequence.sampler.choose(logits, sequence.matcher.allowed()) if forced is None else Chosen(forced)


def _useful(draft: tuple[int, ...], sequence: Sequence) -> tuple[int, ...]:
    """As much of a draft as can come true: one token less than may come, and what a grammar lets pass."""
    if sequence.healing is not None:
        return ()
    draft = draft[: sequence.max_tokens - sequence.num_answered - 1]
    return draft if sequence.matcher is None else draft[: sequence.matcher.count_valid(draft)]


def _finish_reason(sequence: Sequence) -> FinishReason | None:
    if sequence.stream.stopped or (sequence.matcher is not None and sequence.matcher.done):
        return "stop"
    return "length" if sequence.num_answered >= sequence.max_tokens else None
