"""The chat of the Neovim plugin: streaming, stopping, commands, and code blocks applied by a diff."""

from pathlib import Path

from editors.nvim import Run, each_nvim, needs_nvim, run_spec
from heron.host.engine.scripted import Reply, prompt_text
from heron.wire import ChatPrompt, GenerateRequest

pytestmark = [needs_nvim, each_nvim]


def answer(request: GenerateRequest) -> Reply:
    """By the last thing the user said; "wait" gets an answer that does not end."""
    assert isinstance(request.prompt, ChatPrompt)
    asked = request.prompt.messages[-1].content
    if "Explain" in asked:
        about = "lines of add" if "def add(a, b):" in prompt_text(request.prompt) else "nothing"
        return Reply(f"It explains {about}.")
    if "wait" in asked:
        return Reply("One moment, it goes on and on and on.", hold_after=4)
    return Reply("It subtracts.\n\n```python\n    return a + b\n```\n\nAdds now.")


async def test_chat(nvim: Path, tmp_path: Path) -> None:
    await run_spec(Run(nvim, "chat", tmp_path, {"settings": {"chat": {"tools": "gather"}}}), answer)
