"""Neovim, `heron lsp` and the host it starts, each a process of its own."""

from pathlib import Path

import pytest

from editors.nvim import Run, each_nvim, needs_nvim, run_nvim

START_MS = 5
"""What the plugin may add to Neovim's start, `setup` included, in processor time: other work does not count."""

pytestmark = [needs_nvim, each_nvim]


@pytest.mark.usefixtures("host_stopped")
async def test_from_start_to_an_accepted_completion(nvim: Path, tmp_path: Path) -> None:
    variables = {"HERON_ENGINE": "scripted", "SPEC_EARLY": "yes"}
    notes = await run_nvim(Run(nvim, "host", tmp_path, environment=variables, files=("first.py",)), {})
    assert notes["start_cpu_ms"] < START_MS, notes
