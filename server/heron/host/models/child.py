"""Run a downloading command in a child process, watch its files grow, end it with its caller."""

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, and how to see how far it is."""

    arguments: Sequence[str]
    measure: Callable[[], int]
    """bytes there so far"""
    environment: Mapping[str, str] = field(default_factory=dict)
    """added to this process's own"""


@dataclass(frozen=True, slots=True)
class Ended:
    returncode: int
    stdout: str
    stderr: str


def run_watched(command: Command, report: Callable[[int], None]) -> Ended:
    """Run to the end, reporting `measure()` ten times a second. An exception here (Ctrl-C too) ends the child."""
    process = subprocess.Popen(
        command.arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **command.environment},
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    with process:
        try:
            stdout, stderr = _watch(process, command, report)
        finally:
            if process.poll() is None:
                process.kill()
    return Ended(process.returncode, stdout, stderr)


def _watch(process: subprocess.Popen[str], command: Command, report: Callable[[int], None]) -> tuple[str, str]:
    while True:
        try:
            return process.communicate(timeout=_POLL_S)
        except subprocess.TimeoutExpired:
            report(command.measure())
