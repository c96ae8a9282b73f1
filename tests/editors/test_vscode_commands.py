"""Commands of VS Code's palette, each with what it brings to the screen."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from editors.chat_view import Given, accept_change, open_window, wait_diff, wait_text
from editors.vscode import CodeServer, needs_vscode
from editors.workbench import Workbench
from heron.host.engine.scripted import Reply
from heron.wire import ChatPrompt, GenerateRequest
from homes import environment

pytestmark = needs_vscode

_SHOWS_CHANNEL = """channel =>
  [...document.querySelectorAll(".part.panel select")].some(list => list.selectedOptions[0]?.textContent === channel)"""
CODE = "def add(a: int, b: int) -> int:\n    return a + b\n"


def answer(request: GenerateRequest) -> Reply:
    """The rest of a test's call; nothing in chats."""
    return Reply("" if isinstance(request.prompt, ChatPrompt) else "1, 2) == 3\n")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """That of the command `heron`; the host that it starts there leaves after the test."""
    home = tmp_path / "home"
    yield home
    subprocess.run([sys.executable, "-m", "heron", "host", "--stop"], env=environment(home), check=True)


async def test_commands(code_server: CodeServer, tmp_path: Path, home: Path) -> None:
    variables = {"HERON_HOME": str(home), "HERON_ENGINE": "scripted"}
    given = Given(code_server, tmp_path, CODE, settings={"heron.server.environment": variables})
    async with open_window(given, answer) as workbench:
        await _write_tests(workbench)
        await _choose_model(workbench)
        await _open_the_channels(workbench)
        await _see_the_doctor(workbench)
        await _open_the_dashboard(workbench)
        await _walk_through(workbench)


async def _write_tests(workbench: Workbench) -> None:
    """Into the file where tests belong, which is made once the diff is accepted."""
    await workbench.put_cursor(1)
    await workbench.run("Heron: Write Tests")
    await wait_diff(workbench)
    await workbench.shoot("tests-diff")
    await accept_change(workbench, "from sum import add")
    await wait_text(workbench, "assert add(1, 2) == 3")


async def _choose_model(workbench: Workbench) -> None:
    """From the models of the catalog; the choice is a setting, and none was changed by looking."""
    await workbench.run("Heron: Choose Model…")
    rows = workbench.page.locator(".quick-input-list .monaco-list-row")
    await rows.filter(has_text="qwen2.5-coder-0.5b-instruct").first.wait_for()
    await workbench.shoot("models")
    assert "What fits this machine" in await rows.first.inner_text()
    await workbench.press("Escape")
    await rows.first.wait_for(state="hidden")


async def _open_the_channels(workbench: Workbench) -> None:
    """What they hold is tested in the extension host: this VS Code has no native modules to follow a file with."""
    await workbench.run("Heron: Show Log")
    await workbench.page.wait_for_function(_SHOWS_CHANNEL, arg="Heron")
    await workbench.page.locator(".part.panel .monaco-editor.focused").wait_for()
    await workbench.run("Heron: Trace Messages to the Server, or Stop It")
    await workbench.page.wait_for_function(_SHOWS_CHANNEL, arg="Heron Trace")
    await workbench.run("View: Toggle Panel Visibility")
    await workbench.page.locator(".part.panel").wait_for(state="hidden")


async def _see_the_doctor(workbench: Workbench) -> None:
    await workbench.run("Heron: Run Doctor")
    await workbench.page.locator(".part.editor .view-lines").get_by_text("Python").first.wait_for()
    await workbench.shoot("doctor")


async def _open_the_dashboard(workbench: Workbench) -> None:
    """In a tab of its own, which code-server serves below a path: it talks to the host all the same."""
    async with workbench.page.context.expect_page() as opened:
        await workbench.run("Heron: Open Dashboard")
    dashboard = await opened.value
    await dashboard.get_by_text("host process").wait_for()
    await dashboard.close()


async def _walk_through(workbench: Workbench) -> None:
    """Its steps; a window that is wide enough shows a picture beside them."""
    await workbench.run("View: Toggle Primary Side Bar Visibility")
    await workbench.run("Heron: Open Walkthrough")
    page = workbench.page.locator(".gettingStartedContainer")
    await page.get_by_text("Get Started with Heron").first.wait_for()
    await page.get_by_role("button", name="Completions").first.click()
    await page.get_by_alt_text("A completion in grey after the cursor").wait_for()
    await workbench.shoot("walkthrough")
