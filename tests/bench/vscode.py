"""From a key to its ghost text in a real VS Code, beside the server's own time. `python -m bench.vscode` from tests/.

What was added between two releases of a package is typed into the older one, with key times drawn from a log-normal
distribution by a seed (`trace`). The engine is scripted: what is measured is what the front end and the server add.
Times are taken in the page, from the key's event to the text's being in it. VS Code itself waits 50 ms for the next key
before it asks; `front_end_ms` is what is left of each time without that wait and without the server's part.
"""

import argparse
import asyncio
import json
import os
import re
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.figures import describe_machine, percentile
from bench.trace import Release, Segment, make_trace
from bench.vscode_keys import Drawn, Typist, WrongLetters
from editors.hosts import run_host, server_settings
from editors.vscode import CodeServer, run_code_server
from editors.workbench import Workbench, open_workbench
from heron.host.engine.scripted import ScriptedEngine

_DEBOUNCE_MS = 50
"""VS Code's own, for inline completions: `InlineCompletionsDebounce`, from 50 to 50."""
_FILE, _LOG = "trace.py", "server.log"
_SHOWN = re.compile(r"^(\S+ \S+) INFO .*outcome=shown total=([\d.]+) ms", re.MULTILINE)
_CLOCK_MS = 5
"""The server's log has whole milliseconds of the system's clock; the page's clock was set by it when it was opened."""
_PLAIN = {
    "editor.autoIndent": "none",
    "editor.autoClosingQuotes": "never",
    "editor.quickSuggestions": {"other": "off"},
    "editor.suggestOnTriggerCharacters": False,
    "editor.parameterHints.enabled": False,
    "editor.pasteAs.enabled": False,
}
"""Each key is one change, and no list comes up that takes keys."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.vscode", description=__doc__)
    parser.add_argument("--keys", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--package", default="rich")
    parser.add_argument("--old", default="13.7.1")
    parser.add_argument("--new", default="13.9.4")
    asked = parser.parse_args()
    old, new = Release(asked.package, asked.old), Release(asked.package, asked.new)
    segments = make_trace(old, new, asked.keys, asked.seed)
    machine = describe_machine()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["HERON_HOME"] = str(folder / "home")
        with run_code_server(folder / "code-server") as server:
            found = asyncio.run(_measure(server, folder, segments))
    print(json.dumps({"bench": "vscode", **vars(asked), "machine": machine, "figures": found}, indent=2))


async def _measure(server: CodeServer, folder: Path, segments: Sequence[Segment]) -> dict[str, Any]:
    work = folder / "work"
    work.mkdir()
    (work / _FILE).write_text("")
    offers = WrongLetters()
    async with run_host(ScriptedEngine(offers.answer)) as url:
        server.write_settings(_PLAIN | server_settings(folder, Path(os.environ["HERON_HOME"]), url))
        _keep_log(folder)
        async with open_workbench(server, work, _FILE) as workbench:
            await workbench.wait_status("ready")
            typist = await Typist(workbench, offers, _FILE).begin()
            for segment in segments:
                await typist.type(segment)
            drawn = await typist.drawn()
            figures = _summarise(drawn, _server_times(folder))
            return {"typed_keys": typist.num_keys, **figures, "activation": await _read_activation(workbench)}


def _keep_log(folder: Path) -> None:
    """The server's log goes to a file, where its own times are read."""
    command = folder / "heron"
    command.write_text(command.read_text().rstrip() + f' 2>"{folder / _LOG}"\n')


def _server_times(folder: Path) -> list[tuple[float, float]]:
    """When each completion was offered, by the system's clock, and how long the server took for it; both in ms."""
    told = _SHOWN.findall((folder / _LOG).read_text())
    return [(datetime.strptime(at, "%Y-%m-%d %H:%M:%S,%f").timestamp() * 1000, float(took)) for at, took in told]


def _summarise(drawn: Sequence[Drawn], server: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Keys whose text was drawn before the next key. What the server took is that of the last offer before."""
    keys_ms, server_ms = [], []
    for key in drawn:
        before = [took for at, took in server if key.pressed_ms < at <= key.drawn_ms + _CLOCK_MS]
        if before:
            keys_ms.append(key.drawn_ms - key.pressed_ms)
            server_ms.append(before[-1])
    front_ms = [key - _DEBOUNCE_MS - own for key, own in zip(keys_ms, server_ms, strict=True)]
    times = {"key_ms": keys_ms, "server_ms": server_ms, "front_end_ms": front_ms}
    return {"keys_with_text": len(keys_ms), **{name: _quantiles(values) for name, values in times.items()}}


def _quantiles(values: Sequence[float]) -> dict[str, float]:
    return {f"p{share}": round(percentile(values, share), 1) for share in (50, 90, 95, 99)}


async def _read_activation(workbench: Workbench) -> str:
    """VS Code's own figure, from its list of running extensions."""
    await workbench.run("Developer: Show Running Extensions")
    row = workbench.page.locator(".runtime-extensions-editor .extension", has_text="Heron")
    return await row.locator(".activation-time").inner_text()


if __name__ == "__main__":
    main()
