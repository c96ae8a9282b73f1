"""The chat of VS Code's extension: streaming, code applied by a diff, consent, history; pictures in light and dark."""

import json
from pathlib import Path

from editors.accessibility import find_faults, frame_of
from editors.chat_view import ChatPage, Given, accept_change, open_chat, open_window, wait_diff, wait_text
from editors.vscode import CodeServer, needs_vscode
from editors.workbench import CONTRAST, DARK, Workbench
from heron.host.engine.scripted import Reply
from heron.wire import ChatPrompt, GenerateRequest, ToolCall

pytestmark = needs_vscode

CODE = "def add(a, b):\n    return a - b\n\n\ntotal = add(1, 2)\n"
ADDED = "def add(a, b):\n    # Both numbers are taken as they are.\n    return a + b"
ANSWER = f"""It **subtracts**: the sign is wrong in `add`.

```python
{ADDED}
```

1. The name says what it should do.
2. See [the file](sum.py#L2) and https://example.org.
"""


def answer(request: GenerateRequest) -> Reply:
    """By the last thing the user said, nothing for completions; "wait" gets an answer that does not end."""
    if not isinstance(request.prompt, ChatPrompt):
        return Reply("")
    asked = request.prompt.messages[-1].content
    if "wait" in asked:
        return Reply("One moment, it goes on and on and on.", hold_after=4)
    return Reply(ANSWER)


async def test_an_answer_streams_and_its_code_is_applied(code_server: CodeServer, tmp_path: Path) -> None:
    async with open_window(Given(code_server, tmp_path, CODE, DARK), answer) as workbench:
        chat = await open_chat(workbench)
        await chat.ask("What is wrong with add?")
        await chat.wait_end()
        await workbench.shoot("chat-dark")
        assert await find_faults(chat.question) == []
        await _nothing_else_runs(chat)
        await _read_and_insert(workbench, chat)
        await chat.answer.get_by_role("button", name="Copy").click()
        await workbench.wait_copied(ADDED)
        await chat.answer.get_by_role("button", name="Apply").click()
        await wait_diff(workbench)
        await workbench.shoot("chat-diff-dark")
        await accept_change(workbench, f"{ADDED}\n\n\ntotal")


async def _nothing_else_runs(chat: ChatPage) -> None:
    """The page's policy keeps from running what got into it, and from loading what is elsewhere."""
    frame = await frame_of(chat.question)
    await frame.evaluate(
        """() => {
      const script = document.createElement("script");
      script.textContent = "window.stranger = true";
      document.body.append(script);
      document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.stranger = true'>");
    }"""
    )
    assert await frame.evaluate("() => window.stranger") is None
    told = frame.evaluate("() => fetch('https://example.org').then(() => 'loaded', () => 'refused')")
    assert await told == "refused"


async def _read_and_insert(workbench: Workbench, chat: ChatPage) -> None:
    """A reference opens its place; code goes to the cursor; those who do not see the answer are told it."""
    assert "It subtracts: the sign" in (await chat.frame.locator("#announcer").inner_text()).replace("*", "")
    await chat.answer.get_by_role("link", name="the file").click()
    await workbench.page.locator(".statusbar-item").get_by_text("Ln 2, Col 1").wait_for()
    await workbench.wait_focus()
    await workbench.press("Control+End")
    await chat.answer.get_by_role("button", name="Insert").click()
    await wait_text(workbench, CODE + ADDED, whole=True)
    await workbench.wait_focus()
    await workbench.press("Control+z")
    await wait_text(workbench, CODE, whole=True)


def with_tool(request: GenerateRequest) -> Reply:
    """Offers an edit, which needs consent, then says so."""
    if not isinstance(request.prompt, ChatPrompt):
        return Reply("")
    if request.prompt.messages[-1].role == "tool":
        return Reply("It adds now.")
    arguments = {"path": "sum.py", "old_text": "a - b", "new_text": "a + b"}
    return Reply("", tool_calls=(ToolCall("c1", "apply_edit", json.dumps(arguments)),))


async def test_consent_is_asked_in_the_chat_and_an_offered_edit_reviewed(
    code_server: CodeServer, tmp_path: Path
) -> None:
    async with open_window(Given(code_server, tmp_path, CODE), with_tool) as workbench:
        chat = await open_chat(workbench)
        await chat.ask("Change it to add.")
        consent = chat.frame.get_by_role("alertdialog")
        await consent.get_by_role("button", name="Allow once").wait_for()
        await workbench.shoot("chat-consent-light")
        assert "apply_edit" in await consent.inner_text()
        assert await find_faults(chat.question) == []
        await chat.frame.locator("[role=alertdialog]:focus").wait_for()
        await workbench.press("Enter")  # the question has the focus, none of its answers
        assert await consent.count() == 1
        await workbench.press("Tab", "Enter")
        await chat.wait_end()
        assert await consent.count() == 0
        assert "It adds now." in await chat.answer.inner_text()
        assert "done" in await chat.answer.locator(".tool").inner_text()
        await chat.answer.get_by_role("button", name="Review").click()
        await wait_diff(workbench)
        await workbench.shoot("chat-edits-light")
        await workbench.button("Reject the Change").click()
        await workbench.page.locator(".monaco-diff-editor").wait_for(state="detached")
        await wait_text(workbench, CODE, whole=True)


async def test_stopping_commands_and_history(code_server: CodeServer, tmp_path: Path) -> None:
    async with open_window(Given(code_server, tmp_path, CODE, CONTRAST), answer) as workbench:
        chat = await open_chat(workbench)
        await chat.question.press_sequentially("/ex")
        await chat.frame.get_by_role("option", name="/explain").wait_for()
        await workbench.shoot("chat-commands-contrast")
        assert await find_faults(chat.question) == []
        await chat.question.press("Tab")
        assert await chat.question.input_value() == "/explain "
        await chat.question.fill("")
        await chat.question.press_sequentially("#su")
        await chat.frame.get_by_role("option", name="sum.py").wait_for()
        await chat.question.press("Enter")
        await chat.frame.get_by_role("button", name="Remove sum.py").wait_for()
        await chat.ask("please wait")
        await chat.answer.get_by_text("One moment").wait_for()
        await chat.question.press("Escape")
        await chat.wait_end()
        assert "Stopped." in await chat.turns.last.inner_text()
        await chat.begin_anew()
        await workbench.run("Heron: Conversations…")
        await workbench.page.locator(".quick-input-list .monaco-list-row", has_text="please wait").click()
        await chat.answer.get_by_text("One moment").wait_for()
        assert await chat.turns.count() == 1
        await workbench.shoot("chat-history-contrast")
