"""`@heron` in VS Code's own chat."""

from pathlib import Path

from editors.chat_view import Given, open_window
from editors.vscode import CodeServer, needs_vscode
from heron.host.engine.scripted import Reply
from heron.wire import ChatPrompt, GenerateRequest

pytestmark = needs_vscode

CODE = "def add(a, b):\n    return a - b\n"


def answer(request: GenerateRequest) -> Reply:
    """How many questions the model was told so far; nothing for completions."""
    if not isinstance(request.prompt, ChatPrompt):
        return Reply("")
    asked = [message for message in request.prompt.messages if message.role == "user"]
    return Reply(f"This is answer **number {len(asked)}**.")


async def test_a_thread_of_vs_codes_chat_is_a_conversation(code_server: CodeServer, tmp_path: Path) -> None:
    async with open_window(Given(code_server, tmp_path, CODE), answer) as workbench:
        session = workbench.page.locator(".interactive-session").first
        for number in (1, 2):
            await workbench.run("Chat: Open Chat")
            await session.locator(".chat-editor-container .monaco-editor").first.click()
            asked = "@heron what is wrong" if number == 1 else "and now"  # it stays addressed
            await workbench.page.keyboard.insert_text(asked)  # at once: no list comes up that takes Enter
            await workbench.press("Enter")
            await session.get_by_text(f"number {number}").wait_for()
        await workbench.shoot("participant")
