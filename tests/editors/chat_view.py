"""The chat's view in a window of VS Code: its page is a frame in a frame."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import FrameLocator, Locator

from editors.hosts import run_host, write_command
from editors.vscode import CodeServer
from editors.workbench import LIGHT, PATIENCE_MS, Workbench, open_workbench
from heron.host.engine.scripted import Answers, ScriptedEngine


@dataclass(frozen=True, slots=True)
class Given:
    """Where a test's window is: its folder gets a file `sum.py` of this text, and `work` may hold more already."""

    server: CodeServer
    folder: Path
    text: str
    theme: str = LIGHT
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def work(self) -> Path:
        return self.folder / "work"


@asynccontextmanager
async def open_window(given: Given, answers: Answers) -> AsyncIterator[Workbench]:
    """A window with the file open and the server ready, whose model answers so."""
    given.work.mkdir(exist_ok=True)
    (given.work / "sum.py").write_text(given.text)
    async with run_host(ScriptedEngine(answers)) as url:
        settings = {"heron.server.path": str(write_command(given.folder)), "heron.host.url": url}
        home = {"heron.server.environment": {"HERON_HOME": str(given.folder / "home")}}
        theme = {"workbench.colorTheme": given.theme}
        given.server.write_settings(settings | home | theme | given.settings)
        async with open_workbench(given.server, given.work, "sum.py") as workbench:
            await workbench.wait_status("ready")
            await workbench.wait_theme(given.theme)
            yield workbench


@dataclass(frozen=True, slots=True)
class ChatPage:
    """What a user sees of the chat and does there."""

    workbench: Workbench
    frame: FrameLocator

    @property
    def question(self) -> Locator:
        return self.frame.locator("#question")

    @property
    def turns(self) -> Locator:
        return self.frame.locator("article")

    @property
    def answer(self) -> Locator:
        """That of the last question."""
        return self.turns.last.locator(".answer")

    async def ask(self, text: str) -> None:
        """Ask as soon as the model is ready."""
        await self.frame.locator("#banner").wait_for(state="hidden")
        await self.question.click()
        await self.question.press_sequentially(text)
        await self.question.press("Enter")

    async def wait_end(self, patience_ms: float = PATIENCE_MS) -> None:
        """Until the last turn has ended."""
        await self.frame.locator("article:last-of-type[aria-busy=false]").wait_for(timeout=patience_ms)


async def accept_change(workbench: Workbench, expected: str) -> None:
    """Accept the diff in front by its key, once that can be, and wait for what is then to be in the document."""
    await workbench.button("Accept the Change").wait_for()
    await workbench.page.locator(".monaco-diff-editor .monaco-editor.focused").wait_for()
    await workbench.press("Control+Enter")
    await workbench.page.locator(".monaco-diff-editor").wait_for(state="detached")
    await workbench.page.locator(".part.editor .view-lines").get_by_text(expected).wait_for()


async def read_text(workbench: Workbench) -> str:
    """The text of the editor in front, as it is drawn: all of it must be in view."""
    lines = workbench.page.locator(".part.editor .view-lines").first
    drawn: str = await lines.evaluate(
        """element => [...element.querySelectorAll(".view-line")]
        .sort((a, b) => parseFloat(a.style.top) - parseFloat(b.style.top))
        .map(line => line.textContent).join("\\n")"""
    )
    return drawn.replace("\u00a0", " ")


async def open_chat(workbench: Workbench) -> ChatPage:
    """Open the view by its key."""
    await workbench.press("Control+Alt+h")
    frame = workbench.page.frame_locator("iframe.webview").frame_locator("#active-frame")
    await frame.locator("#question").wait_for()
    return ChatPage(workbench, frame)
