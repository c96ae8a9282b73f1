"""Eglot in a real Emacs, configured by the page for it: candidates, ghost text, a code action, an answer."""

from pathlib import Path

from editors.emacs import Batch, needs_emacs, run_batch
from editors.hosts import run_host
from heron.host.engine.scripted import ScriptedEngine, prompt_text
from heron.wire import ChatPrompt, GenerateRequest

pytestmark = needs_emacs


def answer(request: GenerateRequest) -> str:
    """A summary for documentation, a sentence in the chat, and what "return a + b" lacks."""
    grammar = request.sampling.grammar
    if grammar and "summary" in grammar.text:
        return '{"summary": "Add two numbers."}'
    if isinstance(request.prompt, ChatPrompt):
        return "It adds."
    typed = prompt_text(request.prompt).split("│")[0].rsplit("\n", 1)[-1].strip()
    return "return a + b".removeprefix(typed) if typed and "return a + b".startswith(typed) else ""


async def test_eglot(tmp_path: Path) -> None:
    async with run_host(ScriptedEngine(answer)) as url:
        told = await run_batch(Batch("eglot.el", tmp_path), url)
    assert "Ran 5 tests, 5 results as expected" in told, told
