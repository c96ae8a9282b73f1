"""What :Heron does beside chat: edits by a diff, completion of commands, status, health."""

from pathlib import Path

from editors.nvim import Run, each_nvim, needs_nvim, run_spec
from heron.wire import GenerateRequest

pytestmark = [needs_nvim, each_nvim]


def answer(request: GenerateRequest) -> str:
    """By what is asked for: a summary, a commit's subject, else a function."""
    grammar = request.sampling.grammar
    schema = grammar.text if grammar else ""
    if "summary" in schema:
        return '{"summary": "Add two numbers."}'
    if "subject" in schema:
        return '{"subject": "Add the numbers instead"}'
    return "```python\ndef add(a, b):\n    return a + b\n```"


async def test_edits(nvim: Path, tmp_path: Path) -> None:
    await run_spec(Run(nvim, "edits", tmp_path), answer)
