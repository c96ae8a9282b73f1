"""What runs in the next step: policy only, no tensors.

Sequences wait in order of urgency, get pages for all their tokens when they are admitted, and then share each step:
one token each for those that decode, what is left of the step's tokens for prefill, and then for drafts. When pages or
places run out, the least urgent sequence is pre-empted: its pages stay in the prefix cache, and only what was evicted
is computed again. Within a priority the client that was served least is the most urgent, and one that holds more than
its share of the places makes room for one that holds less.
"""

from collections import Counter
from dataclasses import dataclass, replace

from heron.host.engine.fair_share import FairShare
from heron.host.engine.prefix_cache import Lease, PrefixCache
from heron.host.engine.sequence import BACKGROUND, PRIORITIES, Sequence
from heron.host.engine.throughput import DECODE_COST, Throughput
from heron.host.engine.waiting_room import find_crowd


@dataclass(frozen=True, slots=True)
class SchedulerLimits:
    """How much runs at once. A waiting sequence gains a rank every `aging_steps`, so that nothing starves."""

    max_running: int = 8
    max_waiting: int = 128
    max_waiting_each: int = 64
    """Most waiting sequences of one client."""
    max_step_tokens: int = 96
    yielding_tokens: int = 32
    """Most prefill tokens of a step for those less urgent than one that runs beside them."""
    background_tokens: int = 32
    """Most prefill tokens of a step that is all background: whoever comes waits for its end."""
    max_drafts: int = 32
    """Most drafted tokens of a step, over all sequences; `waiting_drafts` while others wait to be admitted."""
    waiting_drafts: int = 8
    aging_steps: int = 200
    background_steps: int = 8
    """Beside more urgent sequences, background ones take part in one step of so many."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """The next `num_tokens` tokens of a sequence, the first not computed yet; logits are wanted of the last ones."""

    sequence: Sequence
    lease: Lease
    num_tokens: int
    num_logits: int
    draft: tuple[int, ...] = ()
    """Guesses at the tokens that follow, to be verified: they count among the tokens and the logits."""


class Scheduler:
    """Owns the order of all sequences and, through the prefix cache, the pages. Not thread-safe."""

    def __init__(self, cache: PrefixCache, limits: SchedulerLimits) -> None:
        self._cache = cache
        self._limits = limits
        self._waiting: list[Sequence] = []
        self._running: list[Sequence] = []
        self._shares = tuple(FairShare() for _ in PRIORITIES)
        self._throughput = Throughput()
        self._step_cost = 0.0
        self._num_arrived = 0
        self._num_steps = 0
        self.num_preempted = 0
        self.num_refused = 0
        self.num_cached_tokens = 0

    @property
    def num_waiting(self) -> int:
        return len(self._waiting)

    @property
    def num_running(self) -> int:
        return len(self._running)

    def add(self, sequence: Sequence) -> None:
        """Queue a sequence; Overloaded, with a measured time to come back, when its client's part or all is full."""
        self._check_room(sequence.client)
        self._num_arrived += 1
        sequence.arrival = self._num_arrived
        sequence.lane = sequence.rank
        self._share(sequence).join(sequence.client)
        self._wait(sequence)

    def observe_step(self, seconds: float) -> None:
        """Tell how long the step took whose chunks were committed last."""
        self._throughput.observe_step(self._step_cost, seconds)
        self._step_cost = 0.0

    def remove(self, sequence: Sequence) -> None:
        """Take out a sequence that is finished or aborted; what it computed stays in the cache."""
        self._share(sequence).leave(sequence.client)
        if sequence.num_answered:
            self._throughput.observe_answer(sequence.num_answered)
        if sequence.lease is None:
            self._waiting.remove(sequence)
        else:
            self._running.remove(sequence)
            self._close_lease(sequence)

    def drain(self) -> list[Sequence]:
        """Take out all sequences."""
        sequences = [*self._running, *self._waiting]
        for sequence in sequences:
            self.remove(sequence)
        return sequences

    def plan(self) -> list[Chunk]:
        """The chunks of the next step, at most `max_step_tokens` in all; empty only when nothing is queued."""
        self._num_steps += 1
        if self._waiting:
            self._admit()
        taking_part = self._taking_part()
        tokens = self._share_tokens(taking_part)
        chunks = []
        for sequence in taking_part:
            num_tokens = tokens.get(sequence.arrival, 0)
            if num_tokens and sequence.lease is not None:
                chunks.append(Chunk(sequence, sequence.lease, num_tokens, int(num_tokens == sequence.num_pending)))
        return chunks

    def space(self, chunks: list[Chunk]) -> int:
        """How many drafted tokens a step of these chunks may take: few while somebody waits for the next step."""
        limits = self._limits
        left = limits.max_step_tokens - sum(chunk.num_tokens for chunk in chunks)
        return min(left, limits.waiting_drafts if self._waiting else limits.max_drafts)

    def extend(self, chunk: Chunk, draft: tuple[int, ...]) -> Chunk:
        """The chunk of a decoding sequence with as much of a draft as pages can be had for without pre-empting."""
        lease, num_known = chunk.lease, len(chunk.sequence.token_ids)
        if draft and not self._cache.grow(lease, num_known + len(draft)):
            draft = draft[: len(lease.pages) * self._cache.page_size - num_known]
        return replace(chunk, num_tokens=1 + len(draft), num_logits=1 + len(draft), draft=draft)

    def commit(self, chunk: Chunk, num_rejected: int = 0) -> None:
        """Count a chunk as computed but for the rejected end of its draft, and share the pages it filled.

        Where rejected tokens were written the next chunk writes over them; no page that holds one is shared before.
        """
        sequence, num_tokens = chunk.sequence, chunk.num_tokens - num_rejected
        is_decode = chunk.num_tokens - len(chunk.draft) == 1
        cost = num_tokens * (DECODE_COST if is_decode else 1.0)
        self._step_cost += cost
        self._share(sequence).charge(sequence.client, cost)
        sequence.num_computed += num_tokens
        self._cache.commit(chunk.lease, sequence.token_ids, sequence.num_computed)
        if 0 < sequence.num_preamble <= sequence.num_computed:
            self._cache.pin(sequence.token_ids[: sequence.num_preamble])
            sequence.num_preamble = 0

    def _admit(self) -> None:
        """Give the most urgent waiting sequences pages and a place, in strict order."""
        for sequence in self._waiting:
            waited = self._num_steps - sequence.waits_since
            if waited >= self._limits.aging_steps and sequence.rank > 0:
                sequence.rank -= 1
                sequence.waits_since = self._num_steps
        self._waiting.sort(key=self._urgency)
        while self._waiting and self._open_lease(self._waiting[0]):
            self._running.append(self._waiting.pop(0))

    def _open_lease(self, sequence: Sequence) -> bool:
        """Whether a waiting sequence could be given its pages, from less urgent ones if need be."""
        victims = self._victims(sequence)
        if len(self._running) >= self._limits.max_running and not victims:
            return False
        within_reach = self._cache.num_available + sum(len(victim.lease.pages) for victim in victims if victim.lease)
        while True:
            if len(self._running) < self._limits.max_running:
                sequence.lease = self._cache.open(sequence.token_ids)
                if sequence.lease is not None:
                    break
            if not victims or within_reach * self._cache.page_size < len(sequence.token_ids):
                return False
            self._preempt(victims.pop())
        sequence.num_computed = sequence.lease.num_cached
        if sequence.num_cached is None:
            sequence.num_cached = sequence.num_computed
            self.num_cached_tokens += sequence.num_cached
        return True

    def _taking_part(self) -> list[Sequence]:
        """Running sequences in order of urgency; background ones only now and then beside others."""
        running = sorted(self._running, key=self._urgency)
        is_turn = self._num_steps % self._limits.background_steps == 0
        if is_turn or not running or running[0].rank == BACKGROUND:
            return running
        return [sequence for sequence in running if sequence.rank < BACKGROUND]

    def _share_tokens(self, sequences: list[Sequence]) -> dict[int, int]:
        """Tokens of the step by arrival number: first one for each that decodes, then prefill by urgency."""
        shares = {seq.arrival: 1 for seq in sequences if seq.num_pending == 1 and self._has_page(seq)}
        left = self._limits.max_step_tokens - len(shares)
        for sequence in sequences:
            # Tokens that a grammar forced are computed like a prompt's, but they need pages, as decoded ones do.
            if sequence.num_pending > 1 and left > 0 and self._has_page(sequence):
                share = min(sequence.num_pending, left, self._most_prefill(sequence, sequences[0]))
                shares[sequence.arrival] = share
                left -= share
        return shares

    def _most_prefill(self, sequence: Sequence, first: Sequence) -> int:
        """How many prompt tokens a sequence may compute in a step whose most urgent sequence is `first`."""
        if sequence.rank > first.rank:
            return self._limits.yielding_tokens
        return self._limits.background_tokens if sequence.rank == BACKGROUND else self._limits.max_step_tokens

    def _has_page(self, sequence: Sequence) -> bool:
        """Whether a decoding sequence has room for its next token, taken from less urgent ones if need be."""
        while sequence.lease is not None and not self._cache.grow(sequence.lease, len(sequence.token_ids)):
            victim = max(self._running, key=self._urgency)
            if victim is sequence:
                return False
            self._preempt(victim)
        return sequence.lease is not None

    def _urgency(self, sequence: Sequence) -> tuple[int, int, float, int]:
        """Sort key: the smaller, the sooner a sequence runs and the later it is pre-empted.

        Those whose rank fell by waiting go before those that began with it.
        """
        served = self._share(sequence).served(sequence.client)
        return (sequence.rank, -sequence.lane, served, sequence.arrival)

    def _victims(self, sequence: Sequence) -> list[Sequence]:
        """Who makes room for a waiting sequence, the least urgent last: lower ranks, and who holds beyond its share."""
        equals = Counter(other.client for other in self._running if other.rank == sequence.rank)
        places = max(1, self._limits.max_running // len({*equals, sequence.client}))
        spare = {client: held - places for client, held in equals.items()}
        is_short = equals[sequence.client] < places
        victims = []
        for other in sorted(self._running, key=self._urgency, reverse=True):
            if other.rank == sequence.rank and is_short and spare[other.client] > 0:
                spare[other.client] -= 1
                victims.append(other)
            elif other.rank > sequence.rank:
                victims.append(other)
        return victims[::-1]

    def _check_room(self, client: str) -> None:
        limits = self._limits
        if crowd := find_crowd(self._waiting, client, limits.max_waiting, limits.max_waiting_each):
            self.num_refused += 1
            raise crowd.refuse(self._throughput.seconds_for_one(crowd.queued, crowd.sharers))

    def _share(self, sequence: Sequence) -> FairShare:
        return self._shares[sequence.lane]

    def _preempt(self, sequence: Sequence) -> None:
        self.num_preempted += 1
        self._running.remove(sequence)
        self._close_lease(sequence)
        self._wait(sequence)

    def _wait(self, sequence: Sequence) -> None:
        sequence.waits_since = self._num_steps
        self._waiting.append(sequence)

    def _close_lease(self, sequence: Sequence) -> None:
        if sequence.lease is not None:
            self._cache.close(sequence.lease, sequence.token_ids, sequence.num_computed)
            sequence.lease = None
            sequence.num_computed = 0
