"""Runs an editor that ends by itself."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

TIMEOUT_S = 240


async def run_to_end(command: Sequence[str], work: Path, variables: Mapping[str, str]) -> tuple[int, str]:
    """The exit status and all that was printed; TimeoutError, and the process killed, if it does not end."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=work,
        env=variables,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), TIMEOUT_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return process.returncode, output.decode(errors="replace")
