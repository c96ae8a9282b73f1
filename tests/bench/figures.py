"""Medians, percentiles, ratios, and the machine they were taken on."""

import platform
import statistics
from collections.abc import Sequence
from pathlib import Path

import psutil

from heron import __version__


def percentile(values: Sequence[float], percent: float) -> float:
    """Nearest rank; `values` need not be sorted."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(percent / 100 * (len(ordered) - 1)))]


def median_of_ratios(over: Sequence[float], under: Sequence[float]) -> float:
    """Of figures taken in pairs, one after the other, so that a change of the machine's speed meets both."""
    return statistics.median(a / b for a, b in zip(over, under, strict=True))


def rounded(values: Sequence[float]) -> list[float]:
    return [round(value, 2) for value in values]


def describe_machine() -> dict[str, object]:
    memory = psutil.virtual_memory()
    return {
        "heron": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": psutil.cpu_count(logical=False),
        "memory_gb": round(memory.total / 1e9, 1),
        "load_1_min": round(psutil.getloadavg()[0], 2),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
