"""Copy keys and values of tokens out of the paged cache, and back to other positions.

A key that was rotated for position p is turned on to p + d by the angles of d alone (Su et al. 2021, section 3.2.2:
rotations add up), so a text that moved need not be computed again. What its tokens saw before them stays as it was.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from heron.host.compiler.kernels.pages import PAGE_SIZE

Pool = npt.NDArray[Any]
Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class SavedTokens:
    """Keys float32 [layers, kv heads, head_size, n] and values in the cache's type [layers, kv heads, n, head_size]."""

    keys: Float32
    values: Pool


def save_tokens(pools: tuple[Pool, Pool], slots: npt.NDArray[np.int32]) -> SavedTokens:
    """Copy what lies at `slots` of the pools [layers, pages, kv heads, head_size, 16] and [.., 16, head_size]."""
    keys, values = pools
    layers, _, heads, size, _ = keys.shape
    saved = SavedTokens(
        np.empty((layers, heads, size, len(slots)), np.float32),
        np.empty((layers, heads, len(slots), size), values.dtype),
    )
    for part, page, offsets in _runs(slots):
        saved.keys[..., part] = keys[:, page, :, :, offsets]
        saved.values[:, :, part] = values[:, page, :, offsets]
    return saved


def restore_tokens(
    pools: tuple[Pool, Pool], saved: SavedTokens, slots: npt.NDArray[np.int32], angles: npt.NDArray[np.float64]
) -> None:
    """Write saved tokens to `slots`, their keys turned by `angles`.

    Radians, [head_size / 2] or [layers, head_size / 2].
    """
    keys, values = pools
    turned = _turn(saved.keys, angles)
    for part, page, offsets in _runs(slots):
        keys[:, page, :, :, offsets] = turned[..., part]
        values[:, page, :, offsets] = saved.values[:, :, part]


def _turn(keys: Float32, angles: npt.NDArray[np.float64]) -> Float32:
    pairs = angles.shape[-1]
    by_layer = angles.reshape(-1, 1, pairs, 1)
    cosine, sine = (function(by_layer).astype(np.float32) for function in (np.cos, np.sin))
    low, high = keys[:, :, :pairs], keys[:, :, pairs:]
    return np.concatenate([low * cosine - high * sine, high * cosine + low * sine], axis=2)


def _runs(slots: npt.NDArray[np.int32]) -> Iterator[tuple[slice, int, slice]]:
    """Stretches of neighbouring slots in one page: their place in `slots`, the page, their offsets in it."""
    breaks = np.flatnonzero((np.diff(slots) != 1) | (slots[1:] % PAGE_SIZE == 0)) + 1
    for start, end in zip([0, *breaks.tolist()], [*breaks.tolist(), len(slots)], strict=True):
        page, offset = divmod(int(slots[start]), PAGE_SIZE)
        yield slice(start, end), page, slice(offset, offset + end - start)
