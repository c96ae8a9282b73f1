"""Ghost text in a real Neovim: shown, typed through, accepted whole and in pieces, dismissed, undone, paused."""

from pathlib import Path

from editors.nvim import Run, each_drawing, needs_nvim, run_spec
from heron.host.engine.scripted import prompt_text
from heron.wire import GenerateRequest

pytestmark = [needs_nvim, each_drawing]


def answer(request: GenerateRequest) -> str:
    """What the model would go on with, by the line before the cursor."""
    prefix = prompt_text(request.prompt).split("│")[0]
    line = prefix.rsplit("\n", 1)[-1]
    for before, text in (("total = ", "price * count"), ("    ", "x = 1\n    return x")):
        typed = line.partition(before)[2]
        if before in line and text.startswith(typed):
            return text[len(typed) :]
    return ""


async def test_completions(nvim: Path, ghost: str, tmp_path: Path) -> None:
    await run_spec(Run(nvim, "completions", tmp_path, {"ghost": ghost}), answer)
