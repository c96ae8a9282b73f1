"""Neovim, `heron lsp` and the host it starts, each a process of its own."""

import subprocess
import sys
from pathlib import Path

from editors.nvim import Run, each_nvim, needs_nvim, run_nvim
from homes import environment

pytestmark = [needs_nvim, each_nvim]


async def test_a_host_is_started(nvim: Path, tmp_path: Path, heron_home: Path) -> None:
    try:
        await run_nvim(Run(nvim, "host", tmp_path, environment={"HERON_ENGINE": "scripted"}), {})
    finally:
        subprocess.run([sys.executable, "-m", "heron", "host", "--stop"], env=environment(heron_home), check=True)
