"""A device by TVM's own interface alone, as Metal is used: nothing here but names is Apple's.

TVM's Metal runtime keeps one queue a device, in which copies and kernels run in the order they were asked for, and
stages copies itself; there is neither page-locked memory nor a recording of launches to ask it for. Where a tensor
lies is no address, so its beginning is reached by a view.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from heron.errors import ResourceError
from heron.host.compiler.gpu.device import Array, allocate
from heron.host.compiler.gpu.shapes import METAL_LIMITS

REMEDY = "Install apache-tvm again; its wheel for macOS on Apple silicon has Metal."


class MetalDevice:
    """A `device.GpuDevice` on a TVM device."""

    limits = METAL_LIMITS

    def __init__(self, device: Any) -> None:
        self._device = device

    def adopt_thread(self) -> None:
        """Nothing to do: the queue is the device's, not a thread's."""

    def zeros(self, shape: tuple[int, ...], dtype: str) -> Any:
        return self.upload(np.zeros(shape, dtype))

    def upload(self, array: Array) -> Any:
        tensor = allocate(self._device, array.shape, array.dtype.name)
        tensor.copyfrom(np.ascontiguousarray(array))
        return tensor

    def lock_memory(self, shape: tuple[int, ...], dtype: str) -> Array:
        return np.zeros(shape, dtype)

    def write(self, tensor: Any, array: Array) -> None:
        tensor._create_view(array.shape).copyfrom(array)  # the only way to a part of a tensor in TVM 0.27

    def read(self, array: Array, tensor: Any) -> None:
        array[...] = tensor._create_view(array.shape).numpy()

    def synchronize(self) -> None:
        self._device.sync()

    def capture(self, enqueue: Callable[[], None]) -> Callable[[], None]:
        return enqueue

    def replay(self, recording: Callable[[], None]) -> None:
        recording()


def open_metal_device() -> MetalDevice:
    """The GPU of this Mac; ResourceError if TVM does not see it."""
    if not has_metal_device():
        raise ResourceError("TVM sees no GPU by Metal here.", hint=REMEDY)

    import tvm

    return MetalDevice(tvm.metal(0))


def load_functions(path: str) -> Any:
    """The compiled library at `path`: kernels by name."""
    import tvm

    return tvm.runtime.load_module(path)


def has_metal_device() -> bool:
    """Whether TVM sees a GPU by Metal here."""
    import tvm

    return bool(tvm.metal(0).exist)
