"""Runs batches on a library that MLC-LLM compiled, whose KV cache knows sequences and not pages.

Keys and values follow from the tokens alone, so sequences are found by their tokens: the page tables of a batch are
read as the tokens that were written to those pages. A part of a batch goes on from the sequence that holds most of what
precedes it: at its end, or from a fork, or, where it writes over a slot of that sequence's own, after the tokens from
there on are dropped. What no sequence holds any more is computed again: a page table is never wrong, at worst slow.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from heron.host.engine.mlc_machine import MlcSizes, Run
from heron.host.engine.runner import Batch, Float32, Int32

_MOST_HELD = 32
"""Sequences kept for those to come that begin like them, or twice as many as run at once."""


class Machine(Protocol):
    """What `mlc_machine` offers."""

    sizes: MlcSizes

    @property
    def num_free_pages(self) -> int: ...

    def add(self, sequence: int) -> None: ...

    def fork(self, parent: int, child: int, num_tokens: int) -> None: ...

    def drop_last(self, sequence: int, num_tokens: int) -> None: ...

    def remove(self, sequence: int) -> None: ...

    def clear(self) -> None: ...

    def run(self, run: Run) -> Float32: ...

    def close(self) -> None: ...


@dataclass(slots=True, eq=False)
class _Held:
    """A sequence of the machine's: its tokens, and the slots that they were to be written to."""

    number: int
    token_ids: Int32
    slots: Int32
    last_used: int = 0


@dataclass(frozen=True, slots=True)
class _Part:
    """One sequence's share of a batch: all its tokens and slots, of which those from `start` on are new.

    `rows` are those of the new tokens whose logits are wanted, counted from the first of them.
    """

    token_ids: Int32
    slots: Int32
    start: int
    rows: Int32

    @property
    def num_new(self) -> int:
        return len(self.token_ids) - self.start


class MlcRunner:
    """A `runner.Runner`. The machine has room for all pages and for those that sequences begin and do not fill."""

    def __init__(self, machine: Machine, vocab_size: int, num_pages: int) -> None:
        self._machine = machine
        self._vocab_size, self._num_pages = vocab_size, num_pages
        self._written = np.zeros((num_pages, machine.sizes.page_tokens), np.int32)
        """The token that each slot was last written for."""
        self._held: list[_Held] = []
        self._most_held = _MOST_HELD
        self._numbers, self._ticks = itertools.count(), itertools.count(1)

    @property
    def vocab_size(self) -> int:
        return self._vocab_size

    @property
    def page_size(self) -> int:
        return self._machine.sizes.page_tokens

    @property
    def num_pages(self) -> int:
        return self._num_pages

    @property
    def max_batch_tokens(self) -> int:
        return self._machine.sizes.max_tokens

    def run(self, batch: Batch) -> Float32:
        """Logits [r, vocab_size], owned by the caller."""
        parts = list(self._split(batch))
        self._most_held = max(_MOST_HELD, 2 * len(parts))
        try:
            logits = [self._run_together(group) for group in self._group(parts)]
        except Exception:
            self._held = []
            self._machine.clear()
            raise
        self._written.reshape(-1)[batch.slots] = batch.token_ids
        return np.concatenate(logits)[:, : self._vocab_size]

    def copy_page(self, source: int, target: int) -> None:
        """Note that a page holds what another does."""
        self._written[target] = self._written[source]

    def close(self) -> None:
        """Free weights and cache. Idempotent."""
        self._held = []
        self._machine.close()

    def _split(self, batch: Batch) -> Iterator[_Part]:
        size = self.page_size
        for row, (begin, end) in enumerate(itertools.pairwise(batch.query_starts.tolist())):
            start = int(batch.positions[begin])
            places = np.arange(start)
            before = batch.page_table[row, places // size] * size + places % size
            wanted = batch.logit_rows[(batch.logit_rows >= begin) & (batch.logit_rows < end)]
            yield _Part(
                np.concatenate([self._written.reshape(-1)[before], batch.token_ids[begin:end]]),
                np.concatenate([before, batch.slots[begin:end]]).astype(np.int32),
                start,
                wanted - begin,
            )

    def _group(self, parts: list[_Part]) -> Iterator[list[_Part]]:
        """The parts, as many at a time as the library takes sequences."""
        for first in range(0, len(parts), self._machine.sizes.max_sequences):
            yield parts[first : first + self._machine.sizes.max_sequences]

    def _run_together(self, parts: list[_Part]) -> Float32:
        """Logits of parts in one run; of one after the other where the cache has no room for all at once."""
        placed: list[_Held] = []
        for part in parts:
            placed.append(self._place(part, placed))
            if not self._catch_up(part, placed) and len(parts) > 1:
                return self._run_each(parts)
        if not self._make_room(parts, placed) and len(parts) > 1:
            return self._run_each(parts)
        return self._advance(parts, placed)

    def _run_each(self, parts: list[_Part]) -> Float32:
        return np.concatenate([self._run_together([part]) for part in parts])

    def _place(self, part: _Part, taken: Sequence[_Held]) -> _Held:
        """A sequence that holds a beginning of what precedes the part, and nothing else."""
        found = self._find(part, taken)
        if found is None:
            held = _Held(next(self._numbers), part.token_ids[:0], part.slots[:0])
            self._machine.add(held.number)
            self._held.append(held)
            return held
        held, shared = found
        if held in taken or (len(held.token_ids) > shared and not _writes_over(part, held)):
            return self._fork(held, shared)
        if len(held.token_ids) > shared:
            self._machine.drop_last(held.number, len(held.token_ids) - shared)
            held.token_ids, held.slots = held.token_ids[:shared], held.slots[:shared]
        return held

    def _find(self, part: _Part, taken: Sequence[_Held]) -> tuple[_Held, int] | None:
        """The sequence that shares most with what precedes a part; of several one that need not be forked."""
        before = part.token_ids[: part.start]
        shared = [(held, _count_shared(held.token_ids, before)) for held in self._held]
        most = max((count for _, count in shared), default=0)
        best = [held for held, count in shared if count == most]
        free = [held for held in best if held not in taken]
        own = [held for held in free if len(held.token_ids) == most or _writes_over(part, held)]
        return ((own or free or best)[0], most) if most else None

    def _fork(self, parent: _Held, num_tokens: int) -> _Held:
        child = replace(
            parent,
            number=next(self._numbers),
            token_ids=parent.token_ids[:num_tokens],
            slots=parent.slots[:num_tokens],
        )
        self._machine.fork(parent.number, child.number, num_tokens)
        self._held.append(child)
        return child

    def _catch_up(self, part: _Part, placed: Sequence[_Held]) -> bool:
        """Compute what precedes a part and its sequence, the last one placed, no longer holds; False without room."""
        held, most = placed[-1], self.max_batch_tokens
        while len(held.token_ids) < part.start:
            end = min(len(held.token_ids) + most, part.start)
            missing = _Part(part.token_ids[:end], part.slots[:end], len(held.token_ids), part.rows[:0])
            if not self._make_room([missing], placed):
                return False
            self._advance([missing], [held])
        return True

    def _advance(self, parts: Sequence[_Part], placed: Sequence[_Held]) -> Float32:
        starts = np.cumsum([0, *(part.num_new for part in parts)], dtype=np.int32)
        run = Run(
            token_ids=np.concatenate([part.token_ids[part.start :] for part in parts]),
            sequences=[held.number for held in placed],
            lengths=[part.num_new for part in parts],
            rows=np.concatenate([part.rows + start for part, start in zip(parts, starts, strict=False)]).astype("i4"),
        )
        logits = self._machine.run(run)
        for part, held in zip(parts, placed, strict=True):
            held.token_ids, held.slots, held.last_used = part.token_ids, part.slots, next(self._ticks)
        return logits

    def _make_room(self, parts: Sequence[_Part], placed: Sequence[_Held]) -> bool:
        """Whether parts fit the cache, after sequences that they do not go on from were removed if need be."""
        needed = sum(-(-part.num_new // self.page_size) + 1 for part in parts)
        idle = sorted((held for held in self._held if held not in placed), key=lambda held: held.last_used)
        while idle and (self._machine.num_free_pages < needed or len(self._held) > self._most_held):
            held = idle.pop(0)
            self._machine.remove(held.number)
            self._held.remove(held)
        return self._machine.num_free_pages >= needed


def _writes_over(part: _Part, held: _Held) -> bool:
    """Whether a part's first new token takes the slot of what a sequence holds there: it is that sequence, some of
    whose last tokens did not come true."""
    return len(held.slots) > part.start and bool(held.slots[part.start] == part.slots[part.start])


def _count_shared(one: Int32, other: Int32) -> int:
    """How many first tokens are equal."""
    length = min(len(one), len(other))
    differs = one[:length] != other[:length]
    return int(differs.argmax()) if differs.any() else length
