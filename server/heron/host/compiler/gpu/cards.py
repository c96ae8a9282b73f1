"""The NVIDIA cards of this machine, asked of the driver itself: at once where there is none, and without loading TVM.

CUDA Driver API 13, "Device Management", "Primary Context Management" and "Memory Management".
"""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

_DRIVER = "libcuda.so.1"
_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_*
_NO_DEVICE = 100


@dataclass(frozen=True, slots=True)
class Card:
    """A card, `index` in the order of the driver; `capability` is major and minor."""

    index: int
    name: str
    capability: tuple[int, int]
    free_bytes: int
    total_bytes: int

    @property
    def architecture(self) -> str:
        """What the CUDA compiler calls it."""
        return "sm_{}{}".format(*self.capability)

    def describe(self) -> str:
        memory = f"{self.free_bytes / 1e9:.1f} of {self.total_bytes / 1e9:.1f} GB free"
        return f"cuda:{self.index} ({self.name}, {self.architecture}, {memory})"


@dataclass(frozen=True, slots=True)
class Survey:
    """The cards found. Where none can be used, `problem` says why and `remedy` what to install."""

    cards: tuple[Card, ...] = ()
    problem: str = ""
    remedy: str = ""


def list_cards(driver: str = _DRIVER) -> Survey:
    """All cards the driver shows to this process (CUDA_VISIBLE_DEVICES hides some)."""
    try:
        library: Any = ctypes.CDLL(driver)
    except OSError:
        return Survey((), f"no NVIDIA driver was found ({_DRIVER})", "Install NVIDIA's driver 580 or newer.")
    try:
        if (code := library.cuInit(0)) == _NO_DEVICE:
            return Survey((), "the NVIDIA driver shows no card", "See what nvidia-smi and CUDA_VISIBLE_DEVICES say.")
        _check(library, "cuInit", code)
        return Survey(tuple(_read_card(_Driver(library), index) for index in range(_count(library))))
    except (RuntimeError, AttributeError) as error:
        return Survey((), f"the NVIDIA driver does not work ({error})", "Run nvidia-smi; install the driver again.")


def newest_cuda(driver: str = _DRIVER) -> int:
    """The major version of CUDA that the driver runs; 0 where there is no driver."""
    version = ctypes.c_int()
    try:
        code = ctypes.CDLL(driver).cuDriverGetVersion(ctypes.byref(version))
    except (OSError, AttributeError):
        return 0
    return 0 if code else version.value // 1000


@dataclass(frozen=True, slots=True)
class _Driver:
    library: Any

    def call(self, name: str, *arguments: Any) -> None:
        _check(self.library, name, getattr(self.library, name)(*arguments))

    def read(self, kind: Callable[[], Any], name: str, *arguments: Any) -> Any:
        """What a call writes through its first argument."""
        value = kind()
        self.call(name, ctypes.byref(value), *arguments)
        return value


def _count(library: Any) -> int:
    return int(_Driver(library).read(ctypes.c_int, "cuDeviceGetCount").value)


def _read_card(driver: _Driver, index: int) -> Card:
    device = driver.read(ctypes.c_int, "cuDeviceGet", index)
    name = ctypes.create_string_buffer(256)
    driver.call("cuDeviceGetName", name, len(name), device)
    major, minor = (driver.read(ctypes.c_int, "cuDeviceGetAttribute", key, device).value for key in (_MAJOR, _MINOR))
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    with _context(driver, device):
        driver.call("cuMemGetInfo_v2", ctypes.byref(free), ctypes.byref(total))
    return Card(index, name.value.decode(errors="replace"), (major, minor), free.value, total.value)


@contextmanager
def _context(driver: _Driver, device: Any) -> Iterator[None]:
    """The device's primary context, current on this thread: free memory can only be asked within one."""
    context = driver.read(ctypes.c_void_p, "cuDevicePrimaryCtxRetain", device)
    try:
        driver.call("cuCtxPushCurrent_v2", context)
        try:
            yield
        finally:
            driver.call("cuCtxPopCurrent_v2", ctypes.byref(ctypes.c_void_p()))
    finally:
        driver.call("cuDevicePrimaryCtxRelease_v2", device)


def _check(library: Any, name: str, code: int) -> None:
    if not code:
        return
    text = ctypes.c_char_p()
    library.cuGetErrorString(code, ctypes.byref(text))
    raise RuntimeError(f"{name}: {(text.value or b'error').decode(errors='replace')} ({code})")
