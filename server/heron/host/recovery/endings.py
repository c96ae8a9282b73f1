"""How a worker's process ended, and whose doing that was: its own, the system's for lack of memory, or a person's."""

import signal
from pathlib import Path

from heron.errors import DeviceLost, WorkerCrashed, WorkerKilled, WorkerOutOfMemory
from heron.host.engine.pipe import DEVICE_LOST_STATUS

_VMSTAT = Path("/proc/vmstat")
_PRESSURE = Path("/proc/pressure/memory")
_SHORT_PERCENT = 5.0
_HINT = "It is restarted; try again."


def count_oom_kills(vmstat: Path = _VMSTAT) -> int:
    """Processes that Linux ended for lack of memory since it was started; 0 where nobody tells."""
    try:
        lines = dict(line.split(maxsplit=1) for line in vmstat.read_text().splitlines())
        return int(lines.get("oom_kill", 0))
    except (OSError, ValueError):
        return 0


def is_short_of_memory(pressure: Path = _PRESSURE) -> bool:
    """Whether all processes together waited for memory of late (Linux's pressure stall information, "full avg10")."""
    try:
        (full,) = (line for line in pressure.read_text().splitlines() if line.startswith("full"))
        return float(full.split("avg10=")[1].split()[0]) > _SHORT_PERCENT
    except (OSError, ValueError, IndexError):
        return False


def explain_end(status: int, oom_kills_before: int) -> WorkerCrashed:
    """The error for requests of a worker that ended with this status, negative for a signal.

    `oom_kills_before` is what `count_oom_kills` said when it was started.
    """
    if status == DEVICE_LOST_STATUS:
        return DeviceLost("The engine worker lost its card.", hint=_HINT)
    if status >= 0:
        return WorkerCrashed(f"The engine worker ended with status {status}.", hint=_HINT)
    if status != -signal.SIGKILL:
        return WorkerCrashed(f"The engine worker was killed by {_name_signal(-status)}.", hint=_HINT)
    if count_oom_kills() > oom_kills_before or is_short_of_memory():
        return WorkerOutOfMemory("The system killed the engine worker, for memory had run out.", hint=_HINT)
    return WorkerKilled("The engine worker was killed by SIGKILL.", hint=_HINT)


def _name_signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
