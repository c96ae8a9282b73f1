"""The chat's view in a window of VS Code: its page is a frame in a frame."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import FrameLocator, Locator
from playwright.async_api import TimeoutError as WaitedInVain

from editors.accessibility import frame_of
from editors.hosts import run_host, write_command
from editors.vscode import CodeServer
from editors.workbench import LIGHT, PATIENCE_MS, Workbench, open_workbench
from heron.host.engine.scripted import Answers, ScriptedEngine

_READ_TEXT = """() => [...(document.querySelector(".part.editor .view-lines")?.querySelectorAll(".view-line") ?? [])]
  .sort((one, other) => parseFloat(one.style.top) - parseFloat(other.style.top))
  .map((line) => line.textContent).join("\\n").replaceAll("\\u00a0", " ")"""
_AWAIT_FOCUS = """() => {
  window.heronFocused = new Promise((resolve) =>
    window.addEventListener("message", ({ data }) => data.kind === "focus" && resolve(true)));
}"""


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

    async def begin_anew(self) -> None:
        """A new conversation, once its page has taken the keys: later it would take them from what is open then."""
        frame = await frame_of(self.question)
        await frame.evaluate(_AWAIT_FOCUS)
        await self.workbench.run("Heron: New Conversation")
        await self.frame.locator("#welcome").wait_for()
        await frame.evaluate("() => window.heronFocused")

    async def wait_end(self, patience_ms: float = PATIENCE_MS) -> None:
        """Until the last turn has ended."""
        await self.frame.locator("article:last-of-type[aria-busy=false]").wait_for(timeout=patience_ms)


async def accept_change(workbench: Workbench, expected: str) -> None:
    """Accept the diff in front by its key, once that can be, and wait for what is then to be in the document."""
    await wait_diff(workbench)
    await workbench.press("Control+Enter")
    await workbench.page.locator(".monaco-diff-editor").wait_for(state="detached")
    await wait_text(workbench, expected)


async def wait_diff(workbench: Workbench) -> None:
    """Until the diff in front is drawn, can be decided, and takes the keys."""
    await workbench.button("Accept the Change").wait_for()
    await workbench.page.locator(".monaco-diff-editor .line-insert").first.wait_for()
    await workbench.page.locator(".monaco-diff-editor .monaco-editor.focused").wait_for()


async def wait_text(workbench: Workbench, text: str, *, whole: bool = False) -> None:
    """Until the editor in front has drawn a text, as a part or as the whole of its own: all of it must be in view."""
    fits = "drawn === text" if whole else "drawn.includes(text)"
    is_drawn = f"(text) => {{ const drawn = ({_READ_TEXT})(); return {fits}; }}"
    try:
        await workbench.page.wait_for_function(is_drawn, arg=text)
    except WaitedInVain:
        drawn = await workbench.page.evaluate(_READ_TEXT)
        raise AssertionError(f"waited in vain for {text!r}; drawn is {drawn!r}") from None


async def open_chat(workbench: Workbench) -> ChatPage:
    """Open the view by its key."""
    await workbench.press("Control+Alt+h")
    return await find_chat(workbench)


async def find_chat(workbench: Workbench) -> ChatPage:
    """The view, once it is open."""
    frame = workbench.page.frame_locator("iframe.webview").frame_locator("#active-frame")
    await frame.locator("#question").wait_for()
    return ChatPage(workbench, frame)
