"""Pages of an int8 cache as numpy reads them: what the kernels wrote, without the kernels."""

from typing import Any

import numpy as np
import numpy.typing as npt

from heron.host.compiler.kernels.pages import PAGE_SIZE, SCALED_DIMENSIONS, AttentionShape

Floats = npt.NDArray[np.float64]


def read_keys(shape: AttentionShape, pool: npt.NDArray[np.int8]) -> Floats:
    """Keys [..., head_size, 16] of pages int8 [..., page_items]."""
    codes, scales = _split(shape, pool)
    codes, scales = codes.reshape(*pool.shape[:-1], -1, PAGE_SIZE), scales.reshape(*pool.shape[:-1], -1, PAGE_SIZE)
    return codes * scales.repeat(SCALED_DIMENSIONS, -2)[..., : shape.head_size, :]


def read_values(shape: AttentionShape, pool: npt.NDArray[np.int8]) -> Floats:
    """Values [..., 16, head_size]."""
    codes, scales = _split(shape, pool)
    codes, scales = codes.reshape(*pool.shape[:-1], PAGE_SIZE, -1), scales.reshape(*pool.shape[:-1], PAGE_SIZE, -1)
    return codes * scales.repeat(SCALED_DIMENSIONS, -1)[..., : shape.head_size]


def _split(shape: AttentionShape, pool: npt.NDArray[np.int8]) -> tuple[Any, Floats]:
    codes, halves = np.split(pool, [PAGE_SIZE * shape.head_size], -1)
    bits = np.ascontiguousarray(halves).view(np.uint16).astype(np.uint32) << 16
    return codes.astype(np.float64), bits.view(np.float32).astype(np.float64)
