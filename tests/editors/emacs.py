"""Runs a spec in a real Emacs, in batch mode, configured as the page for Emacs says."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from editors.hosts import write_command
from editors.pages import blocks, write_home
from editors.processes import run_to_end
from homes import environment

SPECS = Path(__file__).with_name("specs")
# The Emacs of .ci/install-emacs has no compiler to make machine code with.
SETUP = "(setq native-comp-jit-compilation nil native-comp-enable-subr-trampolines nil make-backup-files nil)"

FOUND = os.environ.get("HERON_EMACS") or shutil.which("emacs")
"""Read before tests empty HERON_*."""
needs_emacs = pytest.mark.skipif(FOUND is None, reason="no Emacs: set HERON_EMACS, or run .ci/install-emacs")


@dataclass(frozen=True, slots=True)
class Batch:
    """A spec of ERT tests, and the folder it may write in."""

    spec: str
    folder: Path


async def run_batch(batch: Batch, url: str) -> str:
    """Run a spec against a host; fails with what failed in it. The text ERT printed."""
    work, commands = batch.folder / "work", batch.folder / "bin"
    (work / ".git").mkdir(parents=True)
    commands.mkdir()
    write_command(commands)
    setup = batch.folder / "setup.el"
    setup.write_text("\n".join([SETUP, *blocks("emacs.md", "elisp")]), encoding="utf-8")
    home = write_home(batch.folder / "home", url)
    given = {"PATH": f"{commands}{os.pathsep}{os.environ['PATH']}", "HOME": str(batch.folder)}
    command = (str(FOUND), "--batch", "-Q", "-l", str(setup), "-l", str(SPECS / batch.spec))
    status, told = await run_to_end(command, work, environment(home, **given))
    assert status == 0, told[-6000:]
    return told
