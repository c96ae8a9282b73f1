"""Random edits, undos, accepts and cursor moves in a real Neovim: no stray and no lost character."""

import os
from pathlib import Path

from editors.nvim import Run, each_drawing, needs_nvim, run_spec
from editors.test_neovim_completions import answer

pytestmark = [needs_nvim, each_drawing]

STEPS = int(os.environ.get("HERON_EDITS", "40"))
SEED = int(os.environ.get("HERON_EDITS_SEED", "7"))
"""The long form is HERON_EDITS=200 with several seeds. Read before tests empty HERON_*."""


async def test_the_buffer_is_what_a_model_says(nvim: Path, ghost: str, tmp_path: Path) -> None:
    environment = {"SPEC_SEED": str(SEED), "SPEC_STEPS": str(STEPS)}
    notes = await run_spec(Run(nvim, "random", tmp_path, {"ghost": ghost}, environment), answer)
    assert notes.get("accepts", 0) > STEPS // 20, notes
