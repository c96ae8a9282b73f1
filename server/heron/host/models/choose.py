"""Which model suits this machine when the settings say `auto`, and why."""

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from heron.host.models.catalog import CatalogEntry, entry_of, find_model
from heron.host.models.machine import Speed, free_memory_bytes, measure_speed, usable_cores
from heron.settings import Settings, home_folder

_log = logging.getLogger(__name__)

_SMALL, _MEDIUM, _LARGE = "smollm2-135m-instruct", "qwen2.5-coder-0.5b-instruct", "qwen2.5-coder-1.5b-instruct"
_MEDIUM_BYTES, _LARGE_BYTES = 1_200_000_000, 3_000_000_000
"""free memory each wants: packed weights, KV cache, and room for the rest of the machine"""
_LARGE_CORES = 4
_LARGE_WEIGHT_BYTES = 1.0e9
"""read for each token (measured: 0.997e9 packed)"""
_LARGE_OPERATIONS = 3.1e9
"""for each prompt token: twice its 1.54e9 parameters"""
_INT8_GAIN = 2.5
"""the engine's int8 products against numpy's float32 ones on the same cores"""
_DECODE_GOAL, _PREFILL_GOAL = 25.0, 400.0
"""tokens a second below which completions of the 1.5B come too late to be read"""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the choice depends on. `measure` is only called where its result can matter."""

    cores: int
    free_bytes: int
    measure: Callable[[], Speed] = measure_speed


@dataclass(frozen=True, slots=True)
class Choice:
    entry: CatalogEntry
    reason: str
    """one sentence for the user"""


def choose_model(settings: Settings, home: Path | None = None) -> Choice:
    """The model the settings name; for `auto`, the best this machine runs fast enough.

    The measured speed is remembered, so that a busy moment does not change the choice at the next start.
    """
    if settings.model.name != "auto":
        return Choice(entry_of(settings.model.name), "The settings name it.")
    cores = settings.engine.threads or usable_cores()
    note = (home or home_folder()) / "models" / "speed.json"
    return choose_for(Machine(cores, free_memory_bytes(), lambda: _recall_speed(note, cores) or _measure(note, cores)))


def choose_for(machine: Machine) -> Choice:
    """The best model for a machine, by its cores, its free memory, and its measured speed, in this order."""
    cores, free = f"{machine.cores} core{'s' if machine.cores != 1 else ''}", f"{machine.free_bytes / 1e9:.1f} GB"
    if machine.free_bytes < _MEDIUM_BYTES:
        return Choice(find_model(_SMALL), f"Only {free} of memory are free; the others need more.")
    if machine.free_bytes < _LARGE_BYTES:
        return Choice(find_model(_MEDIUM), f"With {free} of free memory it is the largest that fits.")
    if machine.cores < _LARGE_CORES:
        return Choice(find_model(_MEDIUM), f"On {cores} it answers while one types; larger models do not.")
    return _choose_by_speed(machine.measure(), cores)


def _choose_by_speed(speed: Speed, cores: str) -> Choice:
    decode = speed.bytes_per_s / _LARGE_WEIGHT_BYTES
    prefill = _INT8_GAIN * speed.operations_per_s / _LARGE_OPERATIONS
    measured = f"the 1.5B would read about {prefill:.0f} and write {decode:.0f} tokens a second on these {cores}"
    if decode < _DECODE_GOAL or prefill < _PREFILL_GOAL:
        return Choice(find_model(_MEDIUM), f"By a short measurement {measured}, too slow while typing.")
    return Choice(find_model(_LARGE), f"By a short measurement {measured}, fast enough while typing.")


def _recall_speed(note: Path, cores: int) -> Speed | None:
    """The speed measured before with as many cores."""
    try:
        values = json.loads(note.read_text(encoding="utf-8"))
        speed = Speed(float(values["bytes_per_s"]), float(values["operations_per_s"]))
        return speed if values["cores"] == cores else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _measure(note: Path, cores: int) -> Speed:
    speed = measure_speed()
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(asdict(speed) | {"cores": cores}), encoding="utf-8")
    except OSError as error:
        _log.info("The measured speed is not remembered: %s.", error)
    return speed
