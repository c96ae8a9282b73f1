"""A fake runner whose slots hold a digest of token and position alone: moving them exactly changes no answer."""

import numpy as np

from heron.host.engine.runner import Batch, Int32
from unit.host.engine.fake_runner import FakeRunner, digest_of, logits_of


class MovableRunner(FakeRunner):
    """What it saves are tokens and positions; a move by the wrong distance or to the wrong slot changes the answer."""

    def __init__(self, num_pages: int, page_size: int, max_batch_tokens: int = 512) -> None:
        super().__init__(num_pages, page_size, max_batch_tokens=max_batch_tokens)
        self.can_move = True
        self.places: dict[int, tuple[int, int]] = {}
        self.num_restored = 0

    def save(self, slots: Int32) -> object:
        return [self.places[slot] for slot in slots.tolist()]

    def restore(self, saved: object, slots: Int32, distance: int) -> None:
        assert isinstance(saved, list)
        self.num_restored += len(saved)
        for slot, (token_id, position) in zip(slots.tolist(), saved, strict=True):
            self._write(slot, token_id, position + distance)

    def copy_page(self, source: int, target: int) -> None:
        for offset in range(self.page_size):
            if place := self.places.get(source * self.page_size + offset):
                self._write(target * self.page_size + offset, *place)

    def _run_token(self, batch: Batch, row: int, index: int) -> int:
        position, pages = int(batch.positions[index]), batch.page_table[row]
        assert batch.slots[index] == self._slot(pages, position)
        self._write(int(batch.slots[index]), int(batch.token_ids[index]), position)
        return total_of([self.slots[self._slot(pages, earlier)] for earlier in range(position + 1)])

    def _write(self, slot: int, token_id: int, position: int) -> None:
        self.places[slot] = (token_id, position)
        self.slots[slot] = digest_of(0, token_id, position)


def total_of(digests: list[int]) -> int:
    total = 0
    for digest in digests:
        total = (total * 31 + digest) & (2**61 - 1)
    return total


def movable_answer_of(prompt: list[int], max_tokens: int, stop_ids: frozenset[int]) -> list[int]:
    """The greedy answer of the model that MovableRunner runs, computed without pages."""
    token_ids = list(prompt)
    while len(token_ids) < len(prompt) + max_tokens:
        total = total_of([digest_of(0, token_id, position) for position, token_id in enumerate(token_ids)])
        token_id = int(np.argmax(logits_of(total, 16)))
        if token_id in stop_ids:
            break
        token_ids.append(token_id)
    return token_ids[len(prompt) :]
