"""Runs a Lua spec in a real, headless Neovim with the plugin, `heron lsp`, and a host over the scripted engine."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from editors.hosts import run_host, write_command
from editors.processes import run_to_end
from heron.host.engine.scripted import Answers, ScriptedEngine
from homes import CHECKOUT, environment

PLUGIN = CHECKOUT / "editors" / "neovim"
SPECS = Path(__file__).with_name("specs")


def _find() -> list[Path]:
    """HERON_NVIM (paths, separated as in PATH), else `nvim` on PATH. Read before tests empty HERON_*."""
    named = [Path(path) for path in os.environ.get("HERON_NVIM", "").split(os.pathsep) if path]
    on_path = shutil.which("nvim")
    return named or ([Path(on_path)] if on_path else [])


FOUND = _find()
needs_nvim = pytest.mark.skipif(not FOUND, reason="no Neovim: set HERON_NVIM, or run .ci/install-neovim")


def _number(path: Path) -> str:
    return f"nvim{FOUND.index(path)}"


each_nvim = pytest.mark.parametrize("nvim", FOUND or [Path("nvim")], ids=_number if FOUND else None)


def _has_client(nvim: Path) -> bool:
    """Whether Neovim's own client knows inline completion: 0.12 does."""
    told = subprocess.run([nvim, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.match(r"NVIM v(\d+)\.(\d+)", told)
    return found is not None and (int(found[1]), int(found[2])) >= (0, 12)


def _drawings() -> list[tuple[Path, str]]:
    builtin = [(path, "builtin") for path in FOUND if _has_client(path)]
    return [(path, "own") for path in FOUND or [Path("nvim")]] + builtin


DRAWINGS = _drawings()
"""Each Neovim with each way of drawing completions it has."""
each_drawing = pytest.mark.parametrize(
    ("nvim", "ghost"), DRAWINGS, ids=lambda it: _number(it) if it in FOUND else str(it)
)


@dataclass(frozen=True, slots=True)
class Run:
    """A spec, the options of `setup`, what else the Neovim's environment holds, and files it is started with."""

    nvim: Path
    spec: str
    folder: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()


async def run_spec(run: Run, answers: Answers) -> dict[str, Any]:
    """Run a spec against a host that answers so; fails with what failed in it. What it noted is returned."""
    async with run_host(ScriptedEngine(answers)) as url:
        settings = {**run.options.get("settings", {}), "host": {"url": url}}
        return await run_nvim(run, {**run.options, "settings": settings})


async def run_nvim(run: Run, options: Mapping[str, Any]) -> dict[str, Any]:
    work = run.folder / "work"
    (work / ".git").mkdir(parents=True, exist_ok=True)
    out = run.folder / "result.json"
    given = {"cmd": [str(write_command(run.folder)), "lsp"], **options}
    command = (str(run.nvim), "--headless", "--clean", "-u", str(SPECS / "init.lua"), *run.files)
    _, output = await run_to_end(command, work, _environment(run, given, out))
    assert out.exists(), output[-4000:]
    result: dict[str, Any] = json.loads(out.read_text(encoding="utf-8", errors="replace"))
    assert not result["failures"], "\n".join([*result["failures"], output[-2000:]])
    assert result["passed"], "the spec has no test"
    return dict(result["notes"])


def _environment(run: Run, options: Mapping[str, Any], out: Path) -> dict[str, str]:
    """Folders of its own for all that Neovim keeps, and no settings of the user's."""
    homes = {f"XDG_{kind}_HOME": str(run.folder / kind.lower()) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
    spec = {"SPEC": str(SPECS / f"{run.spec}.lua"), "SPEC_OUT": str(out), "SPEC_PLUGIN": str(PLUGIN)}
    told = {"SPEC_OPTIONS": json.dumps(options), "NVIM_LOG_FILE": str(run.folder / "nvim.log")}
    home = os.environ["HERON_HOME"]
    return environment(Path(home)) | homes | spec | told | dict(run.environment)
