"""A window of VS Code in Chromium: what a user sees, types and clicks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Error as BrowserError
from playwright.async_api import FloatRect, Locator, Page, ViewportSize, async_playwright

from editors.vscode import CHROMIUM, SHOTS, CodeServer

_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
)
_SIZE: ViewportSize = {"width": 1280, "height": 800}
LIGHT, DARK, CONTRAST = "Light Modern", "Dark Modern", "Default High Contrast"
_THEMES = {LIGHT: "light_modern", DARK: "dark_modern", CONTRAST: "hc_black"}
"""What is in the class of a window with the theme of that name."""
STATUS = '.statusbar-item[id="heron.heron.heron.status"]'
_GHOST = """() => {
  const parts = document.querySelectorAll(".part.editor .ghost-text, .part.editor .ghost-text-decoration");
  return [...parts].map((part) => part.innerText).join("").replaceAll("\\u00a0", " ").trim();
}"""
_SETTLED = """(read) => new Promise((resolve) => {
  let [last, frames] = ["", 0];
  const look = () => {
    const now = read();
    frames = now && now === last ? frames + 1 : 0;
    last = now;
    if (frames === 30) resolve(now);
    else requestAnimationFrame(look);
  };
  look();
})"""
_NOTE = """(selector) => {
  const noted = (window.heronNoted = new Set());
  const note = () => {
    for (const part of document.querySelectorAll(selector)) noted.add(part.innerText).add(part.innerHTML);
  };
  window.heronObserver?.disconnect();
  window.heronObserver = new MutationObserver(note);
  const anything = { subtree: true, childList: true, characterData: true, attributes: true };
  window.heronObserver.observe(document.body, anything);
}"""
_IS_COPIED = """(text) => {
  navigator.clipboard.readText().then((copied) => { window.heronCopied = copied; }, () => undefined);
  return window.heronCopied === text;
}"""
"""A promise would be taken for true."""
PATIENCE_MS = 90_000
"""The longest any one thing may take to appear, on a machine far slower than ours."""
_FRAME_CHARS = 1500


@dataclass(frozen=True, slots=True)
class Workbench:
    """One window. Locators wait by themselves; `text` reads what is saved, since VS Code draws only what is in view."""

    page: Page
    folder: Path

    async def wait_ghost(self, text: str) -> None:
        """Until this, and nothing else, is what is drawn of a completion."""
        is_drawn = f"(text) => ({_GHOST})() === text"
        await self.page.wait_for_function(is_drawn, arg=text)

    async def read_ghost(self) -> str:
        """What is drawn of a completion, once there is one that stays for some frames."""
        drawn = await self.page.wait_for_function(f"() => ({_SETTLED})({_GHOST})")
        return str(await drawn.json_value())

    @property
    def status(self) -> Locator:
        return self.page.locator(STATUS)

    def button(self, name: str) -> Locator:
        """A button of the title of the editor in front that can be pressed, by the beginning of its name."""
        return self.page.locator(f'.part.editor .editor-actions [aria-label^="{name}"]:not(.disabled)')

    async def wait_status(self, state: str, patience_ms: float = PATIENCE_MS) -> None:
        """Until the status bar says so: ready, paused, error …"""
        await self.status.locator(f'[aria-label="Heron, {state}"]').wait_for(timeout=patience_ms)

    async def note(self, selector: str) -> None:
        """Note what such parts of the window say from now on, however briefly they do."""
        await self.page.evaluate(_NOTE, selector)

    async def wait_noted(self, text: str, patience_ms: float = PATIENCE_MS) -> None:
        """Until something noted has this text."""
        said = "(text) => [...window.heronNoted].some((words) => words.includes(text))"
        await self.page.wait_for_function(said, arg=text, timeout=patience_ms)

    async def wait_copied(self, text: str) -> None:
        """Until this is what the clipboard holds."""
        await self.page.wait_for_function(_IS_COPIED, arg=text, polling=100)

    async def wait_theme(self, name: str) -> None:
        """Until the window has taken up a theme. While it does, VS Code closes menus."""
        await self.page.locator(f'.monaco-workbench[class*="-{_THEMES[name]}-json"]').wait_for()

    async def wait_focus(self) -> None:
        """Until the editor in front takes the keys."""
        await self.page.locator(".part.editor .monaco-editor.focused").wait_for()

    async def put_cursor(self, line: int) -> None:
        """The cursor to the end of a line, counted from 1."""
        await self.page.locator(".part.editor .view-lines").first.click()
        await self.page.keyboard.press("Control+Home")
        for _ in range(line - 1):
            await self.page.keyboard.press("ArrowDown")
        await self.page.keyboard.press("End")

    async def type(self, text: str) -> None:
        await self.page.keyboard.type(text, delay=30)

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.page.keyboard.press(key)

    async def run(self, command: str) -> None:
        """A command by the palette."""
        await self.page.keyboard.press("F1")
        entry = self.page.locator(".quick-input-widget input.input")
        await entry.fill(f">{command}")
        await self.page.locator(".quick-input-list .monaco-list-row.focused", has_text=command).wait_for()
        await self.page.keyboard.press("Enter")

    async def save(self, name: str) -> str:
        """Save the document in front, which has changed, and its text once that is on the disk."""
        await self.page.locator(".part.editor .tab.active.dirty").wait_for()
        await self.page.keyboard.press("Control+S")
        await self.page.locator(".part.editor .tab.active:not(.dirty)").wait_for()
        return (self.folder / name).read_text()

    async def read_all(self) -> str:
        """What each frame of the window says, its beginning: for whoever reads why a test failed."""
        said = [await frame.locator("body").inner_text(timeout=5_000) for frame in self.page.frames]
        return "\n---\n".join(text[:_FRAME_CHARS] for text in said if text)

    async def shoot(self, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=SHOTS / f"{name}.png")

    async def shoot_part(self, name: str, part: str, height: float) -> None:
        """The upper end of a part of the window, and what is right of it: pictures for READMEs."""
        box = await self.page.locator(f".part.{part}").bounding_box()
        assert box is not None
        width = _SIZE["width"] - box["x"]
        SHOTS.mkdir(parents=True, exist_ok=True)
        clip = FloatRect(x=box["x"], y=box["y"], width=width, height=height)
        await self.page.screenshot(path=SHOTS / f"{name}.png", clip=clip)


@asynccontextmanager
async def open_workbench(server: CodeServer, folder: Path, name: str) -> AsyncIterator[Workbench]:
    """A window of a folder with one of its files open. A picture of how it was left is kept."""
    async with open_page() as page:
        workbench = Workbench(page, folder)
        try:
            await page.goto(server.address(folder, {"openFile": folder / name}))
            await page.locator(".part.editor .monaco-editor .view-lines").first.wait_for()
            yield workbench
        except Exception as error:
            with suppress(BrowserError):
                error.add_note(f"The window said:\n{await workbench.read_all()}")
            raise
        finally:
            await workbench.shoot(f"last-{folder.parent.name}")


@asynccontextmanager
async def open_page() -> AsyncIterator[Page]:
    """An empty page of a browser of its own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        try:
            page = await browser.new_page(viewport=_SIZE, reduced_motion="reduce")  # no menu is half drawn
            page.context.set_default_timeout(PATIENCE_MS)
            await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
            yield page
        finally:
            await browser.close()
