"""Which model suits this machine when the settings say `auto`, and why."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict, astuple, dataclass, field
from pathlib import Path

from heron.host.models.catalog import CatalogEntry, entry_of, find_model
from heron.host.models.machine import Speed, cpu_flags, free_memory_bytes, measure_speed, usable_cores
from heron.host.models.store import Store
from heron.settings import Settings, home_folder

_log = logging.getLogger(__name__)

_SMALL, _MEDIUM, _LARGE = "smollm2-135m-instruct", "qwen2.5-coder-0.5b-instruct", "qwen2.5-coder-1.5b-instruct"
_MEDIUM_BYTES, _LARGE_BYTES = 1_200_000_000, 4_000_000_000
"""Free memory each wants: weights, KV cache, and room for the rest of the machine. The 1.5B takes 1.5 GB of it."""
_STORED_LARGE_BYTES = 3_000_000_000
"""What the 1.5B runs with at least: enough once it is stored, so that memory that comes and goes fetches nothing."""
_LARGE_WEIGHT_BYTES = 1.0e9
"""read for each token (measured: 0.997e9 packed)"""
_LARGE_OPERATIONS = 3.1e9
"""for each prompt token: twice its 1.54e9 parameters"""
_VNNI_GAIN, _AVX2_GAIN, _PORTABLE_GAIN = 6.0, 2.1, 0.5
"""The engine's kernels against numpy's float32 products on the same core: measured 387, 138 and 32 tokens a second."""
_DECODE_GOAL, _PREFILL_GOAL = 20.0, 250.0
"""tokens a second below which completions of the 1.5B come too late to be read"""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the choice depends on. `speeds` are asked for only where they matter, the next only if one is too low."""

    cores: int
    free_bytes: int
    speeds: Callable[[], Iterator[Speed]]
    flags: frozenset[str] = field(default_factory=cpu_flags)
    """what the processor can do, by LLVM's names"""
    has_large: bool = False
    """whether the 1.5B is on the machine already"""


@dataclass(frozen=True, slots=True)
class Choice:
    entry: CatalogEntry
    reason: str
    """one sentence for the user"""


def choose_model(settings: Settings, home: Path | None = None) -> Choice:
    """The model the settings name; for `auto`, the best this machine runs fast enough.

    A measured speed is remembered, and taken again only if it is too low: the machine may have been busy.
    """
    if settings.model.name != "auto":
        return Choice(entry_of(settings.model.name), "The settings name it.")
    cores, folder = settings.engine.threads or usable_cores(), home or home_folder()
    note = folder / "models" / "speed.json"
    has_large = Store(folder).path_of(find_model(_LARGE)).exists()
    return choose_for(Machine(cores, free_memory_bytes(), lambda: _speeds(note), has_large=has_large))


def choose_for(machine: Machine) -> Choice:
    """The best model for a machine, by its free memory and its measured speed, in this order."""
    free = f"{machine.free_bytes / 1e9:.1f} GB"
    if machine.free_bytes < _MEDIUM_BYTES:
        return Choice(find_model(_SMALL), f"Only {free} of memory are free; the others need more.")
    wanted = _STORED_LARGE_BYTES if machine.has_large else _LARGE_BYTES
    if machine.free_bytes < wanted:
        why = f"Of {free} of free memory it leaves most to others; the 1.5B wants {wanted / 1e9:.1f} GB."
        return Choice(find_model(_MEDIUM), why)
    return _choose_by_speed(machine)


def _choose_by_speed(machine: Machine) -> Choice:
    prefill = decode = 0.0
    for speed in machine.speeds():
        decode = speed.bytes_per_s / _LARGE_WEIGHT_BYTES
        prefill = _gain(machine.flags) * machine.cores * speed.core_operations_per_s / _LARGE_OPERATIONS
        if decode >= _DECODE_GOAL and prefill >= _PREFILL_GOAL:
            break
    cores = "this core" if machine.cores == 1 else f"these {machine.cores} cores"
    measured = f"the 1.5B would read about {prefill:.0f} and write {decode:.0f} tokens a second on {cores}"
    if decode < _DECODE_GOAL or prefill < _PREFILL_GOAL:
        return Choice(find_model(_MEDIUM), f"By a short measurement {measured}, too slow while typing.")
    return Choice(find_model(_LARGE), f"By a short measurement {measured}, fast enough while typing.")


def _gain(flags: frozenset[str]) -> float:
    """How much faster than numpy's the kernels for this processor are; without its flags the slowest are assumed."""
    if "avx512vnni" in flags:
        return _VNNI_GAIN
    return _AVX2_GAIN if "avx2" in flags else _PORTABLE_GAIN


def _speeds(note: Path) -> Iterator[Speed]:
    """What was measured before, if anything; then the better of that and of what is measured now, to be remembered."""
    known = _recall_speed(note)
    if known is not None:
        yield known
    now = measure_speed()
    before = known or now
    best = Speed(*map(max, astuple(now), astuple(before)))
    _remember_speed(note, best)
    yield best


def _recall_speed(note: Path) -> Speed | None:
    try:
        values = json.loads(note.read_text(encoding="utf-8"))
        return Speed(float(values["bytes_per_s"]), float(values["core_operations_per_s"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _remember_speed(note: Path, speed: Speed) -> None:
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(asdict(speed)), encoding="utf-8")
    except OSError as error:
        _log.info("The measured speed is not remembered: %s.", error)
