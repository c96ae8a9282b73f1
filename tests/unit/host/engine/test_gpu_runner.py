"""How a batch is laid out for the kernels of a GPU. What they compute is tested in `test_gpu_decoder.py`."""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from heron.host.compiler.gpu.program import padded_tokens
from heron.host.compiler.gpu.shapes import (
    CUDA_LIMITS,
    LOGIT_ROWS,
    PAGE_STARTS,
    PAGES,
    PLACES_SIZE,
    POSITIONS,
    SLOTS,
    TOKEN_IDS,
)
from heron.host.engine.gpu_runner import GpuRunner, fill_places
from heron.host.models.gguf import open_gguf
from unit.host.compiler.tiny_decoders import TINIEST, write_decoder
from unit.host.engine.batches import contiguous_batch


@given(st.integers(1, 512))
def test_a_batch_is_filled_up_to_a_size_there_are_kernels_for(count: int) -> None:
    size = padded_tokens(count)
    assert count <= size <= max(8, count + 63)
    assert size in (1, 2, 4, 8) or size % 64 == 0


def test_places_hold_the_batch_and_fillers_touch_nothing() -> None:
    token_ids = np.arange(64, dtype=np.int32).reshape(2, 32)
    places = np.full(PLACES_SIZE, 99, np.int32)
    end = fill_places(places, contiguous_batch([(0, 0, 20), (1, 5, 1)], token_ids))
    assert places[POSITIONS : POSITIONS + 22].tolist() == [*range(20), 5, -1]
    assert places[SLOTS + 20] == 256 + 5
    assert (places[SLOTS + 21 : SLOTS + 64] == -1).all()
    assert places[PAGE_STARTS : PAGE_STARTS + 21].tolist() == [0] * 20 + [2]
    assert places[PAGES:end].tolist() == [0, 1, 16, 17]
    assert places[LOGIT_ROWS : LOGIT_ROWS + 21].tolist() == list(range(21))


class SlowCard:
    """A device that does nothing before it is waited for, as a busy one; `seen` are the token ids of each step."""

    limits = CUDA_LIMITS

    def __init__(self) -> None:
        self.seen: list[list[int]] = []
        self._queue: list[tuple[Any, Any]] = []

    def write(self, tensor: Any, array: np.ndarray) -> None:
        self._queue.append((tensor, array))

    def synchronize(self) -> None:
        self.seen += [array[TOKEN_IDS : TOKEN_IDS + 3].tolist() for _, array in self._queue]
        self._queue.clear()

    def read(self, array: np.ndarray, tensor: Any) -> None:
        self.synchronize()

    def lock_memory(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        return np.zeros(shape, dtype)

    def zeros(self, shape: tuple[int, ...], dtype: str) -> None: ...
    def upload(self, array: np.ndarray) -> None: ...
    def adopt_thread(self) -> None: ...
    def capture(self, enqueue: Any) -> None: ...
    def replay(self, recording: Any) -> None: ...


def test_steps_without_logits_are_not_overtaken(tmp_path: Path) -> None:
    """A prompt in three chunks: nothing is read, and so nobody waits, before its last."""
    device, functions = SlowCard(), defaultdict(lambda: lambda *arguments: None)
    file = open_gguf(write_decoder(tmp_path / "tiny.gguf", TINIEST))
    runner = GpuRunner(file, functions, 16, device)
    token_ids = np.arange(1, 10, dtype=np.int32)[None]
    for first, logit_rows in ((0, []), (3, []), (6, [2])):
        batch = contiguous_batch([(0, first, 3)], token_ids)
        runner.run(replace(batch, logit_rows=np.array(logit_rows, np.int32)))
    assert device.seen == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
