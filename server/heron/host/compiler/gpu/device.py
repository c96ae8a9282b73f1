"""What a decoder on a GPU asks of its device, whatever the maker."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from heron.errors import OutOfMemory
from heron.host.compiler.gpu.shapes import GpuLimits

Array = npt.NDArray[Any]


class GpuDevice(Protocol):
    """Memory, a queue of work, and recordings of launches. Used from one thread at a time."""

    @property
    def limits(self) -> GpuLimits: ...

    def adopt_thread(self) -> None:
        """Make the calling thread the one that uses the device. Cheap where it is."""
        ...

    def zeros(self, shape: tuple[int, ...], dtype: str) -> Any:
        """A zeroed tensor; OutOfMemory if the device has no room."""
        ...

    def upload(self, array: Array) -> Any:
        """A tensor with the array's values; OutOfMemory as above."""
        ...

    def lock_memory(self, shape: tuple[int, ...], dtype: str) -> Array:
        """An array that the device copies from and to at full speed; it lives as long as the process."""
        ...

    def write(self, tensor: Any, array: Array) -> None:
        """Copy an array to the beginning of a tensor, in the queue's order."""
        ...

    def read(self, array: Array, tensor: Any) -> None:
        """Fill an array from the beginning of a tensor, and wait for it."""
        ...

    def synchronize(self) -> None:
        """Wait until everything asked of the device is done."""
        ...

    def capture(self, enqueue: Callable[[], None]) -> Any:
        """What `enqueue` launches, for `replay`; nothing runs yet."""
        ...

    def replay(self, recording: Any) -> None:
        """Launch what was captured."""
        ...


def allocate(device: Any, shape: tuple[int, ...], dtype: str) -> Any:
    """An uninitialised tensor on a TVM device; OutOfMemory if it has no room."""
    import tvm

    try:
        return tvm.runtime.empty(shape, dtype, device)
    except (RuntimeError, ValueError) as error:
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        raise OutOfMemory(f"The GPU has no room for {size / 1e6:.0f} MB.", hint=str(error)) from error
