"""What Neovim's own parts do with the server: completions in its popup, and the question of consent."""

import json
from pathlib import Path

from editors.nvim import Run, each_nvim, needs_nvim, run_spec
from heron.host.engine.scripted import Reply
from heron.wire import ChatPrompt, GenerateRequest, ToolCall

pytestmark = [needs_nvim, each_nvim]
EDIT = json.dumps({"path": "a.py", "old_text": "1", "new_text": "2"})


async def test_completions_in_the_popup(nvim: Path, tmp_path: Path) -> None:
    settings = {"completion": {"popup": "on", "popup_ms": 5000}}
    await run_spec(Run(nvim, "popup", tmp_path, {"settings": settings}), "nt(total)")


def answer(request: GenerateRequest) -> Reply:
    """A change, then how many changes were asked for."""
    assert isinstance(request.prompt, ChatPrompt)
    messages = request.prompt.messages
    if messages[-1].role == "tool":
        return Reply(f"{sum(message.role == 'tool' for message in messages)}: done")
    return Reply("", tool_calls=(ToolCall("c", "apply_edit", EDIT),))


async def test_consent_is_asked_for_and_remembered(nvim: Path, tmp_path: Path) -> None:
    options = {"settings": {"chat": {"tools": "model"}}}
    await run_spec(Run(nvim, "consent", tmp_path, options), answer)
