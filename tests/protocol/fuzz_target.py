"""A real host on TCP, over fixed answers, and a real language server on TCP, each a process of its own."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from homes import environment
from protocol.fuzzing import Target

TOKEN = "fuzz"


@asynccontextmanager
async def running_target(home: Path) -> AsyncIterator[Target]:
    """Both, alive until the end: a process that has ended by then raises."""
    host, line = await _start(home, "host", "--port", "0")
    lsp, lsp_line = await _start(home, "lsp", "--tcp", "0")
    url = line.split()[-1].removesuffix("/v1")
    try:
        yield Target(url, TOKEN, int(lsp_line.rpartition(":")[2]))
        assert (host.returncode, lsp.returncode) == (None, None), "a process crashed"
    finally:
        for process in (lsp, host):
            if process.returncode is None:
                process.terminate()
            await asyncio.wait_for(process.communicate(), 30)


async def _start(home: Path, *words: str) -> tuple[asyncio.subprocess.Process, str]:
    """The process, and the first line that it says."""
    told = environment(home, HERON_ENGINE="scripted", HERON_TOKEN=TOKEN)
    log = (home / f"{words[0]}.log").open("wb")
    with log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "heron", *words, stdout=asyncio.subprocess.PIPE, stderr=log, env=told
        )
    assert process.stdout
    return process, (await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip()
