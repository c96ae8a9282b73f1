"""From a key to its ghost text in a real VS Code, beside the server's own time. `python -m bench.vscode` from tests/.

The engine is scripted: what is measured is what the front end and the server add. Times are taken in the page, from the
key's event to the text's being in it. VS Code itself waits 50 ms for the next key before it asks; `front_end_ms` is
what is left of each time without that wait and without the server's part of the same key.
"""

import asyncio
import json
import os
import re
import statistics
import tempfile
from pathlib import Path
from typing import Any

from editors.hosts import run_host, server_settings
from editors.test_vscode_host import answer
from editors.vscode import CodeServer, run_code_server
from editors.workbench import Workbench, open_workbench
from heron.host.engine.scripted import ScriptedEngine

KEYS = 40
_DEBOUNCE_MS = 50
"""VS Code's own, for inline completions: `InlineCompletionsDebounce`, from 50 to 50."""
_LOG = "server.log"
_SHOWN = re.compile(r"outcome=shown total=([\d.]+) ms")
_WATCH = """() => {
  window.heron = [];
  let pressed;
  const drawn = () => {
    if (!pressed || !document.querySelector(".part.editor .ghost-text, .part.editor .ghost-text-decoration")) return;
    window.heron.push(performance.now() - pressed);
    pressed = undefined;
  };
  new MutationObserver(drawn).observe(document.body, { childList: true, subtree: true, attributes: true });
  window.addEventListener("keydown", (event) => { if (event.key === " ") pressed = performance.now(); }, true);
}"""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["HERON_HOME"] = str(folder / "home")
        with run_code_server(folder / "code-server") as server:
            print(json.dumps(asyncio.run(_measure(server, folder))))


async def _measure(server: CodeServer, folder: Path) -> dict[str, Any]:
    work = folder / "work"
    work.mkdir()
    (work / "keys.py").write_text("")
    async with run_host(ScriptedEngine(answer)) as url:
        server.write_settings(server_settings(folder, Path(os.environ["HERON_HOME"]), url))
        _keep_log(folder)
        async with open_workbench(server, work, "keys.py") as workbench:
            await workbench.wait_status("ready")
            keys_ms = await _type_lines(workbench)
            server_ms = _server_ms(folder)
            front_ms = [key - _DEBOUNCE_MS - own for key, own in zip(keys_ms, server_ms, strict=True)]
            times = {"key_ms": keys_ms, "server_ms": server_ms, "front_end_ms": front_ms}
            figures = {name: _quantiles(values) for name, values in times.items()}
            return {"keys": KEYS, **figures, "activation": await _read_activation(workbench)}


def _keep_log(folder: Path) -> None:
    """The server's log goes to a file, where its own times are read."""
    command = folder / "heron"
    command.write_text(command.read_text().rstrip() + f' 2>"{folder / _LOG}"\n')


def _server_ms(folder: Path) -> list[float]:
    return [float(total) for total in _SHOWN.findall((folder / _LOG).read_text())]


async def _type_lines(workbench: Workbench) -> list[float]:
    """The last key of each line is the one that brings a completion; it is typed once the others have been read."""
    await workbench.page.evaluate(_WATCH)
    await workbench.put_cursor(1)
    for number in range(KEYS):
        await workbench.type(f"total{number} =")
        await workbench.press("Space")
        await workbench.page.wait_for_function(f"() => window.heron.length > {number}")
        await workbench.press("Escape", "Enter", "Home")
    times: list[float] = await workbench.page.evaluate("() => window.heron")
    return times


async def _read_activation(workbench: Workbench) -> str:
    """VS Code's own figure, from its list of running extensions."""
    await workbench.run("Developer: Show Running Extensions")
    row = workbench.page.locator(".runtime-extensions-editor .extension", has_text="Heron")
    return await row.locator(".activation-time").inner_text()


def _quantiles(values: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=20)
    return {"p50": round(cuts[9], 1), "p95": round(cuts[18], 1)}


if __name__ == "__main__":
    main()
