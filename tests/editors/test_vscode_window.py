"""What a user sees of the extension: ghost text, pause, a new server after a kill, settings, errors; light and dark."""

import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from editors.hosts import run_host, server_settings
from editors.test_vscode_host import answer
from editors.vscode import CodeServer, needs_vscode
from editors.wheel import write_wheel
from editors.workbench import DARK, STATUS, Workbench, open_workbench
from heron.host.engine.scripted import ScriptedEngine

pytestmark = needs_vscode

LONG = "    # " + "a line that is much longer than the editor is wide, " * 4
TEXT = f'def total(items: list[float]) -> float:\n{LONG}\n\n\ndef after() -> None:\n    """Stays below."""\n'
_INSTALLING_MS = 120_000
_COUNT_FRAMES = """() => {
  window.heronFrames = { with: 0, without: 0 };
  const look = () => {
    const ghost = document.querySelector(".part.editor .ghost-text, .part.editor .ghost-text-decoration");
    window.heronFrames[ghost ? "with" : "without"]++;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


@pytest.fixture
async def workbench(code_server: CodeServer, heron_home: Path, tmp_path: Path) -> AsyncIterator[Workbench]:
    """A window on a scripted host, with `sum.py` in front and the server ready."""
    work = tmp_path / "work"
    work.mkdir()
    (work / "sum.py").write_text(TEXT)
    async with run_host(ScriptedEngine(answer)) as url:
        code_server.write_settings(server_settings(tmp_path, heron_home, url))
        async with open_workbench(code_server, work, "sum.py") as workbench:
            await workbench.wait_status("ready")
            yield workbench


async def test_window(workbench: Workbench, code_server: CodeServer, heron_home: Path) -> None:
    await _show_and_accept(workbench)
    await _pause_and_resume(workbench)
    await _kill_and_go_on(workbench, heron_home)
    await _type_through(workbench)
    await _see_the_menu(workbench)
    await _see_it_dark(workbench, code_server)
    await _see_it_installed(workbench)


async def _show_and_accept(workbench: Workbench) -> None:
    """Several lines are drawn, one key inserts them."""
    await workbench.put_cursor(2)
    await workbench.press("Enter")
    await workbench.type("total =")
    await workbench.type(" ")
    await workbench.wait_ghost("price * count")
    await workbench.shoot("ghost-light")
    await _see_others(workbench)
    await workbench.press("Tab")
    assert "    total = price * count\n" in await workbench.save("sum.py")


async def _see_others(workbench: Workbench) -> None:
    """Keys go from one completion to the next and back."""
    await workbench.press("Alt+]")
    await workbench.wait_ghost("price * count1")
    await workbench.press("Alt+]")
    await workbench.wait_ghost("price * count2")
    for text in ("price * count1", "price * count"):
        await workbench.press("Alt+[")
        await workbench.wait_ghost(text)


async def _pause_and_resume(workbench: Workbench) -> None:
    await workbench.run("Heron: Pause or Resume Completions")
    await workbench.wait_status("paused")
    await workbench.shoot("paused")
    await workbench.run("Heron: Pause or Resume Completions")
    await workbench.wait_status("ready")


async def _kill_and_go_on(workbench: Workbench, home: Path) -> None:
    """The next server has the document as it is now, and completes in it."""
    await workbench.note(STATUS)
    _language_server(home).send_signal(signal.SIGKILL)
    await workbench.wait_noted("Heron, starting")
    await workbench.wait_status("ready")
    await workbench.press("End", "Enter")
    await workbench.type("total2 =")
    await workbench.type(" ")
    await workbench.wait_ghost("price2 * count")


async def _type_through(workbench: Workbench) -> None:
    """What is typed of a completion leaves the rest of it drawn, in every frame."""
    await workbench.page.evaluate(_COUNT_FRAMES)
    await workbench.type("price2")
    await workbench.wait_ghost("* count")
    frames = await workbench.page.evaluate("() => window.heronFrames")
    assert frames["with"] > 0
    assert frames["without"] == 0, frames
    await workbench.press("Escape")


def _language_server(home: Path) -> psutil.Process:
    """The process of this window's `heron lsp`: the one that lives in this test's home."""
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        with suppress(psutil.Error):  # that of the window before may be leaving
            if words[-3:] == ["-m", "heron", "lsp"] and process.environ().get("HERON_HOME") == str(home):
                return process
    raise AssertionError("no language server runs")


async def _see_the_menu(workbench: Workbench) -> None:
    await workbench.status.click()
    await workbench.page.locator(".quick-input-list .monaco-list-row", has_text="Pause completions").wait_for()
    await workbench.shoot("menu-light")
    await workbench.press("Escape")
    await workbench.page.locator(".part.editor .view-lines").first.hover()  # no tooltip of the item covers messages


async def _see_it_dark(workbench: Workbench, code_server: CodeServer) -> None:
    """Settings that change are taken over at once: the theme, and a program of the server that is not there."""
    missing = workbench.folder.parent / "none" / "heron"
    package = {"heron.server.python": sys.executable, "heron.server.package": str(write_wheel(workbench.folder.parent))}
    code_server.change_settings({**package, "heron.server.path": str(missing), "workbench.colorTheme": DARK})
    await workbench.wait_status("error")
    message = workbench.page.locator(".notification-toast", has_text="heron.server.path")
    await message.wait_for()
    await workbench.wait_theme(DARK)
    await workbench.shoot("missing-dark")
    await workbench.note(".notification-toast")
    await message.locator(".monaco-button", has_text="Install").click()


async def _see_it_installed(workbench: Workbench) -> None:
    """What the message offered: an environment is made, which is told step by step, and its server is started.

    A step may be over before anyone looks, so what is told is noted as it appears.
    """
    await workbench.wait_noted("making an environment", _INSTALLING_MS)
    await workbench.wait_noted("installing", _INSTALLING_MS)
    await workbench.wait_status("ready", _INSTALLING_MS)
