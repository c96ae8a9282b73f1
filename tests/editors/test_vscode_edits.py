"""Edits of VS Code's extension: a code action with its diff, an edit by instruction, a commit message."""

import subprocess
from pathlib import Path

from editors.chat_view import Given, accept_change, find_chat, open_window, wait_diff, wait_text
from editors.vscode import CodeServer, needs_vscode
from editors.workbench import DARK, Workbench
from heron.host.engine.scripted import Reply
from heron.wire import ChatPrompt, GenerateRequest

pytestmark = needs_vscode

CODE = "def add(a, b):\n    return a - b\n\n\ntotal = add(1, 2)\n"
ADDED = "```python\ndef add(a, b):\n    return a + b\n```\n"
DESCRIBED = '{"summary": "Add two numbers.", "parameters": {}, "returns": "The sum."}'


def answer(request: GenerateRequest) -> Reply:
    """By what is asked: a commit message, a description, or code; explanations go to the chat."""
    if not isinstance(request.prompt, ChatPrompt):
        return Reply("")
    asked = "\n".join(message.content for message in request.prompt.messages)
    if "commit message" in asked:
        return Reply('{"subject": "Subtract in add"}')
    if "Explain" in asked:
        return Reply("It subtracts `b` from `a`.")
    if "JSON" in asked:
        return Reply(DESCRIBED)
    return Reply(ADDED)


async def choose_action(workbench: Workbench, name: str) -> None:
    """Choose from the menu of code actions at the beginning of the document.

    A moment after the cursor has moved VS Code asks for actions anew, which closes a menu that is about to open, and
    forgets the actions of one that was just chosen from. The bulb comes when that is over.
    """
    bulb = workbench.page.locator(".lightBulbWidget")
    await workbench.put_cursor(2)  # where there is no bulb
    await bulb.wait_for(state="hidden")
    await workbench.press("Control+Home")
    await bulb.wait_for()
    await workbench.press("Control+.")
    await workbench.page.locator(".action-widget .monaco-list-row", has_text=name).first.click()


async def test_a_code_action_is_shown_before_it_is_made(code_server: CodeServer, tmp_path: Path) -> None:
    async with open_window(Given(code_server, tmp_path, CODE), answer) as workbench:
        await choose_action(workbench, "Document")
        await wait_diff(workbench)
        await workbench.shoot("action-diff-light")
        await accept_change(workbench, '"""Add two numbers')


async def test_an_explanation_from_the_menu_is_given_in_the_chat(code_server: CodeServer, tmp_path: Path) -> None:
    async with open_window(Given(code_server, tmp_path, CODE), answer) as workbench:
        await choose_action(workbench, "Explain")
        chat = await find_chat(workbench)
        await chat.wait_end()
        assert "It subtracts b from a." in await chat.answer.inner_text()


async def test_an_instruction_grows_a_diff_that_is_rejected_then_accepted(
    code_server: CodeServer, tmp_path: Path
) -> None:
    async with open_window(Given(code_server, tmp_path, CODE, DARK), answer) as workbench:
        await instruct(workbench, "add instead")
        await workbench.press("Escape")
        await workbench.page.locator(".monaco-diff-editor").wait_for(state="detached")
        await wait_text(workbench, CODE, whole=True)
        await instruct(workbench, "add instead")
        await workbench.shoot("instruct-dark")
        await accept_change(workbench, "a + b")
        await wait_text(workbench, CODE.replace("-", "+"), whole=True)


async def instruct(workbench: Workbench, instruction: str) -> None:
    """Edit the definition at the second line, until the diff can be decided."""
    await workbench.put_cursor(2)
    await workbench.press("Control+Alt+e")
    entry = workbench.page.locator(".quick-input-widget input.input")
    await entry.fill(instruction)
    await workbench.press("Enter")
    await wait_diff(workbench)


async def test_a_commit_message_is_written_into_its_box(code_server: CodeServer, tmp_path: Path) -> None:
    commit(tmp_path / "work", CODE.replace("-", "+"))
    async with open_window(Given(code_server, tmp_path, CODE, DARK), answer) as workbench:
        await workbench.press("Control+Shift+g")
        await workbench.page.get_by_role("button", name="Write the Commit Message").first.click()
        await workbench.page.locator(".scm-view .scm-editor").get_by_text("Subtract in add").wait_for()
        await workbench.shoot("commit-dark")


def commit(work: Path, text: str) -> None:
    """A repository in which the file is committed with this text."""
    work.mkdir()
    (work / "sum.py").write_text(text)
    identity = ("-c", "user.name=t", "-c", "user.email=t@t")
    for arguments in (("init", "-q"), ("add", "."), (*identity, "commit", "-qm", "First")):
        subprocess.run(["git", *arguments], cwd=work, check=True)
