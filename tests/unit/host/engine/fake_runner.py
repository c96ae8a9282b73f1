"""A runner whose keys and values are small numbers: what it answers depends on every token it can read, and where."""

import numpy as np

from heron.host.engine.runner import Batch, Float32

_MASK = 2**61 - 1


class FakeRunner:
    """Each slot holds a digest of the token there and of all before it, as read through the page table.

    So a page that is stale, shared wrongly, or written at the wrong place changes every later token.
    """

    def __init__(self, num_pages: int, page_size: int, vocab_size: int = 16, max_batch_tokens: int = 512) -> None:
        self.num_pages, self.page_size = num_pages, page_size
        self.vocab_size, self.max_batch_tokens = vocab_size, max_batch_tokens
        self.slots = [-1] * (num_pages * page_size)
        self.num_tokens_run = 0
        self.error: Exception | None = None
        self.closed = False

    def run(self, batch: Batch) -> Float32:
        if self.error:
            raise self.error
        digests: list[int] = []
        assert len(batch.token_ids) <= self.max_batch_tokens
        for row, (start, end) in enumerate(zip(batch.query_starts, batch.query_starts[1:], strict=False)):
            digests += [self._run_token(batch, row, index) for index in range(start, end)]
        self.num_tokens_run += len(digests)
        rows = [logits_of(digests[row], self.vocab_size) for row in batch.logit_rows]
        return np.stack(rows) if rows else np.zeros((0, self.vocab_size), np.float32)

    def copy_page(self, source: int, target: int) -> None:
        size = self.page_size
        self.slots[target * size : (target + 1) * size] = self.slots[source * size : (source + 1) * size]

    def close(self) -> None:
        self.closed = True

    def _run_token(self, batch: Batch, row: int, index: int) -> int:
        position, pages = int(batch.positions[index]), batch.page_table[row]
        assert batch.slots[index] == self._slot(pages, position)
        before = self.slots[self._slot(pages, position - 1)] if position else 0
        digest = digest_of(before, int(batch.token_ids[index]), position)
        self.slots[batch.slots[index]] = digest
        total = 0
        for earlier in range(position + 1):
            total = (total * 31 + self.slots[self._slot(pages, earlier)]) & _MASK
        return total

    def _slot(self, pages: np.typing.NDArray[np.int32], position: int) -> int:
        return int(pages[position // self.page_size]) * self.page_size + position % self.page_size


def digest_of(before: int, token_id: int, position: int) -> int:
    """What a slot holds."""
    return hash((before, token_id, position)) & _MASK


def logits_of(digest: int, vocab_size: int) -> Float32:
    return np.random.default_rng(digest).standard_normal(vocab_size).astype(np.float32)


def answer_of(prompt: list[int], max_tokens: int, vocab_size: int, stop_ids: frozenset[int]) -> list[int]:
    """The greedy answer of the model that FakeRunner runs, computed without pages."""
    digests: list[int] = []
    answer: list[int] = []
    pending = list(prompt)
    while True:
        for token_id in pending:
            digests.append(digest_of(digests[-1] if digests else 0, token_id, len(digests)))
        total = 0
        for digest in digests:
            total = (total * 31 + digest) & _MASK
        token_id = int(logits_of(total, vocab_size).argmax())
        if token_id in stop_ids:
            return answer
        answer.append(token_id)
        if len(answer) == max_tokens:
            return answer
        pending = [token_id]
