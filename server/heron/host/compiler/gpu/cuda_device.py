"""One CUDA device: memory, a stream, and graphs of launches. TVM launches the kernels; the rest is the CUDA runtime.

CUDA and TVM both keep the current device and stream by thread, so a thread adopts the device before it uses it.
TVM has no interface for page-locked memory and none for capturing launches that it does not make itself, so these few
calls go to the runtime library that TVM has loaded already (CUDA Runtime API 13).
"""

import ctypes
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from heron.errors import ResourceError
from heron.host.compiler.gpu.cuda_toolkit import REMEDY, load_runtime
from heron.host.compiler.gpu.device import Array, allocate
from heron.host.compiler.gpu.shapes import CUDA_LIMITS

_TO_DEVICE, _FROM_DEVICE, _WITHIN_DEVICE = 1, 2, 3
_LIBRARY = "libtvm_runtime_cuda.so"
_THIS_THREAD = 1  # a capture fails only on unsafe calls of its own thread


class CudaDevice:
    """The device `index`, used from one thread at a time; ResourceError if TVM does not see it."""

    limits = CUDA_LIMITS

    def __init__(self, index: int = 0) -> None:
        self._cuda, tvm = load_runtime(), _import_tvm()
        self._index, self._device = index, tvm.cuda(index)
        if not self._device.exist:
            raise ResourceError(f"TVM sees no card cuda:{index}.", hint=REMEDY)
        self._stream = ctypes.c_void_p()
        self._threads = threading.local()
        self._call("cudaSetDevice", index)
        self._call("cudaStreamCreate", ctypes.byref(self._stream))
        self.adopt_thread()

    def adopt_thread(self) -> None:
        """Make device and stream the current ones of the calling thread. Cheap where they are."""
        if not getattr(self._threads, "is_ready", False):
            self._call("cudaSetDevice", self._index)
            self._device.set_raw_stream(self._stream.value)
            self._threads.is_ready = True

    def allocate(self, shape: tuple[int, ...], dtype: str) -> Any:
        """An uninitialised tensor; OutOfMemory if the device has no room."""
        return allocate(self._device, shape, dtype)

    def zeros(self, shape: tuple[int, ...], dtype: str) -> Any:
        """A zeroed tensor."""
        tensor = self.allocate(shape, dtype)
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        self._call("cudaMemset", _pointer(tensor), 0, ctypes.c_size_t(size))
        return tensor

    def upload(self, array: Array) -> Any:
        """A tensor with the array's values."""
        tensor = self.allocate(array.shape, array.dtype.name)
        self.write(tensor, np.ascontiguousarray(array))
        self.synchronize()
        return tensor

    def lock_memory(self, shape: tuple[int, ...], dtype: str) -> Array:
        """An array that the device copies from and to at full speed; it lives as long as the process."""
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        pointer = ctypes.c_void_p()
        self._call("cudaMallocHost", ctypes.byref(pointer), ctypes.c_size_t(size))
        assert pointer.value is not None
        memory: Any = (ctypes.c_char * size).from_address(pointer.value)
        values: Array = np.frombuffer(memory, dtype).reshape(shape)
        return values

    def write(self, tensor: Any, array: Array) -> None:
        """Copy an array to the beginning of a tensor, in the stream's order."""
        self._copy(_pointer(tensor), array.ctypes.data_as(ctypes.c_void_p), array.nbytes, _TO_DEVICE)

    def read(self, array: Array, tensor: Any) -> None:
        """Fill an array from the beginning of a tensor and wait for it."""
        self._copy(array.ctypes.data_as(ctypes.c_void_p), _pointer(tensor), array.nbytes, _FROM_DEVICE)
        self.synchronize()

    def duplicate(self, target: Any, source: Any, size_bytes: int) -> None:
        """Copy the first bytes of a tensor to another, in the stream's order."""
        self._copy(_pointer(target), _pointer(source), size_bytes, _WITHIN_DEVICE)

    def synchronize(self) -> None:
        """Wait until everything asked of the device is done."""
        self._call("cudaStreamSynchronize", self._stream)

    def capture(self, enqueue: Callable[[], None]) -> Any:
        """A graph of what `enqueue` launches, for `replay`; nothing runs yet."""
        graph, executable = ctypes.c_void_p(), ctypes.c_void_p()
        self._call("cudaStreamBeginCapture", self._stream, _THIS_THREAD)
        try:
            enqueue()
        finally:
            self._call("cudaStreamEndCapture", self._stream, ctypes.byref(graph))
        self._call("cudaGraphInstantiate", ctypes.byref(executable), graph, ctypes.c_ulonglong(0))
        self._call("cudaGraphDestroy", graph)
        return executable

    def replay(self, graph: Any) -> None:
        """Launch a captured graph."""
        self._call("cudaGraphLaunch", graph, self._stream)

    def _copy(self, target: Any, source: Any, size: int, kind: int) -> None:
        self._call("cudaMemcpyAsync", target, source, ctypes.c_size_t(size), kind, self._stream)

    def _call(self, name: str, *arguments: Any) -> None:
        code = getattr(self._cuda, name)(*arguments)
        if code:
            self._cuda.cudaGetErrorString.restype = ctypes.c_char_p
            raise RuntimeError(f"{name}: {self._cuda.cudaGetErrorString(code).decode()}")


def load_functions(path: str) -> Any:
    """The compiled library at `path`: kernels by name."""
    return _import_tvm().runtime.load_module(path)


def has_cuda_device() -> bool:
    """Whether TVM sees a CUDA device here."""
    try:
        return bool(_import_tvm().cuda(0).exist)
    except OSError:  # there is no CUDA here, or not the version that TVM links
        return False


def _import_tvm() -> Any:
    """TVM with its CUDA library, which it does not load by itself where it leaves its compiler out."""
    load_runtime()  # before TVM, which looks for it among what is loaded

    import tvm

    if tvm.get_global_func("device_api.cuda", allow_missing=True) is None:
        ctypes.CDLL(str(Path(tvm.__file__).parent / "lib" / _LIBRARY), mode=ctypes.RTLD_GLOBAL)
    return tvm


def _pointer(tensor: Any) -> ctypes.c_void_p:
    return ctypes.c_void_p(tensor.data_ptr())
