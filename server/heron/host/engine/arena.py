"""Small arrays of a step, copied side by side to where TVM takes them from without a copy of its own.

TVM wants its arrays aligned to 64 bytes, which numpy's are not; a tensor of its own for each costs 12 µs.
"""

import mmap
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

_ALIGNMENT = 64
_FIRST_BYTES = 1 << 20

Array = npt.NDArray[Any]


class Arena:
    """Memory that is used again each step and grows with the largest one."""

    def __init__(self) -> None:
        self._memory = _allocate(_FIRST_BYTES)

    def place(self, arrays: Sequence[Array]) -> list[Array]:
        """Aligned copies of the arrays, there until the next call."""
        starts = [0]
        for array in arrays:
            starts.append(starts[-1] + -(-array.nbytes // _ALIGNMENT) * _ALIGNMENT)
        if starts[-1] >= len(self._memory):
            self._memory = _allocate(2 * starts[-1])
        return [self._copy(array, start) for array, start in zip(arrays, starts, strict=False)]

    def _copy(self, array: Array, start: int) -> Array:
        place = self._memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
        np.copyto(place, array)
        return place


def _allocate(size: int) -> Array:
    return np.frombuffer(mmap.mmap(-1, size), np.uint8)
