"""What this machine can give a model: cores, free memory, and a measured idea of its speed."""

import hashlib
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_BANDWIDTH_BYTES = 64 << 20
_MATRICES, _MATRIX_SIZE = 64, 64
"""So small that the library that multiplies them takes a single thread."""
_CALIBRATION_S = 0.1
_SHARE_S = 0.03
_SHARE_BYTES = 1 << 18
_CGROUP = Path("/sys/fs/cgroup")
_CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Speed:
    """Short measurements, good for choosing between models of very different size and for nothing finer."""

    bytes_per_s: float
    """read from memory: what decoding runs at"""
    core_operations_per_s: float
    """float32 multiplications and additions of one core in matrix products: what prefill follows"""


def usable_cores() -> int:
    """Physical cores, less those the affinity mask or the control group's CPU quota withhold; at least one."""
    import psutil

    physical = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    affinity = getattr(os, "sched_getaffinity", None)
    allowed = len(affinity(0)) if affinity else physical
    return max(1, min(physical, allowed, _cgroup_cores(_CGROUP)))


def measure_free_cores(most: int) -> float:
    """How many cores as many busy threads get now, others' load considered; takes 30 ms."""
    with ThreadPoolExecutor(most) as threads:
        return sum(threads.map(_core_share, [time.perf_counter() + _SHARE_S] * most))


def _core_share(deadline: float) -> float:
    """The part of a core this thread gets until the deadline; hashing lets the others run meanwhile."""
    block, began, began_cpu = bytes(_SHARE_BYTES), time.perf_counter(), time.thread_time()
    while time.perf_counter() < deadline:
        hashlib.sha256(block)
    return min(1.0, (time.thread_time() - began_cpu) / max(time.perf_counter() - began, 1e-6))


def free_memory_bytes() -> int:
    """Memory a new process can take without pushing others out, within the control group's limit."""
    import psutil

    return min(int(psutil.virtual_memory().available), _cgroup_free_bytes(_CGROUP))


def measure_speed() -> Speed:
    """Time a large copy and matrix products, about 0.1 s each; the best run of each counts.

    By the thread's own clock, which others that keep the cores busy do not slow down.
    """
    source = np.ones(_BANDWIDTH_BYTES // 8)
    target = np.empty_like(source)
    copy_s = _best_seconds(lambda: np.copyto(target, source))
    matrices = np.ones((_MATRICES, _MATRIX_SIZE, _MATRIX_SIZE), dtype=np.float32)
    products = np.empty_like(matrices)
    product_s = _best_seconds(lambda: np.matmul(matrices, matrices[0], out=products))
    # A copy reads each byte once and writes it once.
    return Speed(2 * _BANDWIDTH_BYTES / copy_s, 2 * _MATRICES * _MATRIX_SIZE**3 / product_s)


def _best_seconds(action: Callable[[], object]) -> float:
    best, deadline = float("inf"), time.perf_counter() + _CALIBRATION_S
    action()
    while time.perf_counter() < deadline or best == float("inf"):
        began = time.thread_time()
        action()
        best = min(best, max(time.thread_time() - began, 1e-9))
    return best


def cpu_flags() -> frozenset[str]:
    """What the processor can do, by LLVM's names; empty where the system has no `/proc/cpuinfo`."""
    return _read_flags(_CPUINFO.read_text()) if _CPUINFO.exists() else frozenset()


def _read_flags(text: str) -> frozenset[str]:
    """The flags of the first processor that has any; Linux writes `avx512_vnni` for LLVM's `avx512vnni`."""
    lines = (line.partition(":") for line in text.splitlines())
    flags = next((value for name, _, value in lines if name.strip() in ("flags", "Features")), "")
    return frozenset(flag.replace("_", "") for flag in flags.split())


def _cgroup_cores(root: Path) -> int:
    """Whole cores the control group's CPU quota allows (cgroup v2, then v1); very many where there is none."""
    for names in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        try:
            quota, period = map(int, " ".join((root / name).read_text() for name in names).split())
            return max(1, quota // period) if quota > 0 else 1 << 20
        except (OSError, ValueError):
            continue
    return 1 << 20


def _cgroup_free_bytes(root: Path) -> int:
    """What the control group's memory limit leaves (cgroup v2, then v1); very much where there is none."""
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        try:
            return max(0, int((root / limit).read_text()) - int((root / used).read_text()))
        except (OSError, ValueError):
            continue
    return 1 << 62
