"""What this process holds of the machine's memory, and giving back to it what was freed."""

import ctypes
import gc
import sys

_M_MMAP_THRESHOLD = -3
_LARGE_BYTES = 4 << 20


def resident_bytes() -> int:
    """Memory this process has in RAM now, mapped files included."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def return_large_blocks() -> None:
    """Have blocks of `_LARGE_BYTES` and more go back to the system when they are freed, whatever was freed before.

    glibc raises its own limit to the size of what it frees, up to 32 MB, and then keeps blocks below it: a step with
    many rows of logits, 0.6 MB each, would leave its memory behind for good (mallopt(3), M_MMAP_THRESHOLD).
    """
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def release_freed_memory() -> None:
    """Return what was freed since the start: parsing a tokenizer leaves 60 MB behind, compiling a model more.

    `malloc_trim` of glibc; nothing elsewhere, where allocators return memory by themselves.
    """
    gc.collect()
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
