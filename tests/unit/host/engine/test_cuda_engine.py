"""How a batch is laid out for the CUDA kernels. What they compute is tested in `compiler/cuda/test_cuda_decoder.py`."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from heron.host.compiler.cuda.program import padded_tokens
from heron.host.compiler.cuda.shapes import LOGIT_ROWS, PAGE_STARTS, PAGES, PLACES_SIZE, POSITIONS, SLOTS
from heron.host.engine.cuda_engine import fill_places
from heron.host.engine.runner import Batch


def contiguous_batch(parts: list[tuple[int, int, int]], token_ids: np.ndarray) -> Batch:
    """Parts (sequence, first position, tokens), sequence s on pages 16 s, …; logits of every token."""
    ids = np.concatenate([token_ids[sequence, first : first + count] for sequence, first, count in parts])
    positions = np.concatenate([np.arange(first, first + count) for _, first, count in parts])
    owners = np.concatenate([np.full(count, sequence) for sequence, _, count in parts])
    starts = np.cumsum([0, *(count for _, _, count in parts)])
    width = max(-(-(first + count) // 16) for _, first, count in parts)
    table = np.array([[16 * sequence + page for page in range(width)] for sequence, _, _ in parts])
    arrays = (ids, positions, owners * 256 + positions, starts, table, np.arange(len(ids)))
    return Batch(*(array.astype(np.int32) for array in arrays))


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
