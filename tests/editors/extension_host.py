"""Runs the tests of `editors/vscode/test/host` in the extension host of a real VS Code."""

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

from editors.vscode import EXTENSION, CodeServer
from editors.workbench import Workbench, open_page

_TIMEOUT_S = 400
_SMOKE_TESTS = """new MutationObserver((_, observer) => {
  const element = document.getElementById("vscode-workbench-web-configuration");
  if (!element) return;
  observer.disconnect();
  const settings = JSON.parse(element.getAttribute("data-settings"));
  settings.developmentOptions = { ...settings.developmentOptions, enableSmokeTestDriver: true };
  element.setAttribute("data-settings", JSON.stringify(settings));
}).observe(document, { childList: true, subtree: true });"""
"""A built VS Code takes the folder of an extension to test only with the driver of its smoke tests switched on."""


async def run_host_tests(server: CodeServer, folder: Path) -> dict[str, Any]:
    """Run them all in a window on an empty folder; fails with what failed. What they noted is returned."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    async with open_page() as page:
        await page.expose_function("codeAutomationLog", lambda kind, words: None)
        await page.expose_function("codeAutomationExit", lambda code, logs: done.set_result(None))
        await page.add_init_script(_SMOKE_TESTS)
        tests = EXTENSION / "dist" / "test" / "index.js"
        payload = {"extensionDevelopmentPath": EXTENSION, "extensionTestsPath": tests}
        await page.goto(server.address(folder, payload))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(done, _TIMEOUT_S)
        await Workbench(page, folder).shoot("extension-host")
    result = json.loads((folder / "result.json").read_text())
    failures = [f"{test} {outcome}" for test, outcome in result["outcomes"].items() if not outcome.startswith("passed")]
    assert not failures, "\n".join(failures)
    assert result["outcomes"], "no test ran"
    return dict(result["notes"])
