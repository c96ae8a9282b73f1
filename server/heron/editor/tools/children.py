"""Child processes that cannot outstay or outgrow their call: a time, a limit of output, and their group's end."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from heron.errors import InvalidRequest

_READ_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Command:
    """What is run: no shell, no terminal, an environment of its own."""

    words: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    time_s: float = 10.0
    output_bytes: int = 200_000


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended. `exit_code` is negative for a signal; `is_cut`: there was more output than is kept."""

    exit_code: int
    output: str
    is_cut: bool
    timed_out: bool


async def run_child(command: Command) -> Ended:
    """Run to the end, or kill the child with all it started: at its time, past its output, or when cancelled."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command.words,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            cwd=command.folder,
            env=dict(command.environment),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"{command.words[0]!r} cannot be started: {error}.") from error
    output = bytearray()
    timed_out = False
    try:
        async with asyncio.timeout(command.time_s):
            await _read(process, output, command.output_bytes)
            if len(output) <= command.output_bytes:
                await process.wait()
    except TimeoutError:
        timed_out = True
    finally:
        _kill_group(process)
        exit_code = await asyncio.shield(process.wait())
    text = bytes(output[: command.output_bytes]).decode("utf-8", "replace")
    return Ended(exit_code, text, len(output) > command.output_bytes, timed_out)


async def _read(process: Process, output: bytearray, limit: int) -> None:
    assert process.stdout is not None
    while len(output) <= limit:
        piece = await process.stdout.read(_READ_BYTES)
        if not piece:
            return
        output += piece


def _kill_group(process: Process) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
