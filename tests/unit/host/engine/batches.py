"""Batches whose sequences lie on neighbouring pages."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from heron.host.engine.runner import Batch


def contiguous_batch(parts: Sequence[tuple[int, int, int]], token_ids: npt.NDArray[np.int32]) -> Batch:
    """Parts (sequence, first position, tokens), sequence s on pages 16 s, …; logits of every token."""
    ids = np.concatenate([token_ids[sequence, first : first + count] for sequence, first, count in parts])
    positions = np.concatenate([np.arange(first, first + count) for _, first, count in parts])
    owners = np.concatenate([np.full(count, sequence) for sequence, _, count in parts])
    starts = np.cumsum([0, *(count for _, _, count in parts)])
    width = max(-(-(first + count) // 16) for _, first, count in parts)
    table = np.array([[16 * sequence + page for page in range(width)] for sequence, _, _ in parts])
    arrays = (ids, positions, owners * 256 + positions, starts, table, np.arange(len(ids)))
    return Batch(*(array.astype(np.int32) for array in arrays))
