"""A real Helix on a terminal, configured by the page for it: popup, code action, an answer."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from editors.hosts import run_host, write_command
from editors.pages import blocks, write_home
from editors.terminal import TIMEOUT_S, Terminal, run_program
from editors.test_emacs import answer
from heron.host.engine.scripted import ScriptedEngine
from homes import environment

FOUND = os.environ.get("HERON_HELIX") or shutil.which("hx") or shutil.which("helix")
"""Read before tests empty HERON_*."""

pytestmark = pytest.mark.skipif(FOUND is None, reason="no Helix: set HERON_HELIX, or run .ci/install-helix")
ESCAPE, ENTER, TAB = "\x1b", "\r", "\t"


@asynccontextmanager
async def helix(folder: Path, text: str) -> AsyncIterator[Terminal]:
    """Helix with a file `a.py` of this text, once the server has told it that the model is ready."""
    work, commands, config = folder / "work", folder / "bin", folder / "config" / "helix"
    for made in (work / ".git", commands, config):
        made.mkdir(parents=True)
    write_command(commands)
    languages, own = blocks("helix.md", "toml")
    (config / "languages.toml").write_text(languages, encoding="utf-8")
    (config / "config.toml").write_text(own, encoding="utf-8")
    (work / "a.py").write_text(text, encoding="utf-8")
    log = folder / "helix.log"
    async with run_host(ScriptedEngine(answer)) as url:
        given = {
            "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_CACHE_HOME": str(folder / "cache"),
        }
        variables = environment(write_home(folder / "home", url), **given)
        async with run_program([str(FOUND), "-v", "--log", str(log), "a.py"], work, variables) as terminal:
            await terminal.wait_text("NOR")
            await until(lambda: log.exists() and '"state": "ready"' in log.read_text(encoding="utf-8"))
            yield terminal


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what no terminal tells of."""
    async with asyncio.timeout(TIMEOUT_S):
        while not condition():  # noqa: ASYNC110  # a log tells nobody that it grows
            await asyncio.sleep(0.05)


async def save(terminal: Terminal, folder: Path) -> str:
    """What the file holds then. An Escape that nobody waits for would make one key of itself and the next."""
    if "INS" in terminal.text:
        terminal.press(ESCAPE)
        await terminal.wait_text("NOR")
    terminal.press(f":w{ENTER}")
    await terminal.wait_text("written")
    return (folder / "work" / "a.py").read_text(encoding="utf-8")


async def test_a_completion_is_taken_from_the_popup(tmp_path: Path) -> None:
    async with helix(tmp_path, "def add(a, b):\n    retu\n") as terminal:
        terminal.press("jA")
        await terminal.wait_text("INS")
        terminal.press("r")
        await terminal.wait_text("return a + b")
        terminal.press(TAB + ENTER)
        assert await save(terminal, tmp_path) == "def add(a, b):\n    return a + b\n"


async def test_an_action_is_applied_and_an_answer_is_a_document(tmp_path: Path) -> None:
    async with helix(tmp_path, "def add(a, b):\n    return a + b\n") as terminal:
        terminal.press(" a")
        await terminal.wait_text("Document add")
        terminal.press(ENTER)
        await terminal.wait_text('"""Add two numbers.')
        assert (await save(terminal, tmp_path)).startswith('def add(a, b):\n    """Add two numbers.')
        terminal.press("% a")
        await terminal.wait_text("Explain the selection")
        terminal.press("\x1b[A" + ENTER)  # the last entry
        await terminal.wait_text("# /explain")
        await terminal.wait_text("It adds.")
