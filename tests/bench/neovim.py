"""From a key to its ghost text in a real Neovim, beside the server's own time, and what the plugin adds to the start.

`python -m bench.neovim` from tests/.

HERON_NVIM names the Neovims. The engine is scripted: what is measured is what the front end and the server add.
"""

import asyncio
import json
import os
import statistics
import tempfile
from pathlib import Path

from editors.nvim import DRAWINGS, Run, run_nvim, run_spec
from editors.test_neovim_completions import answer

KEYS = 40
STARTS = 9
DEBOUNCE_MS = {"own": 30, "builtin": 200}
"""How long each waits for the next key."""


def main() -> None:
    for nvim, ghost in DRAWINGS:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["HERON_HOME"] = str(Path(folder) / "home")
            run = Run(nvim, "latency", Path(folder), {"ghost": ghost}, {"SPEC_STEPS": str(KEYS)})
            notes = asyncio.run(run_spec(run, answer))
            starts = [_start_ms(nvim, Path(folder)) for _ in range(STARTS)]
        debounce_ms = DEBOUNCE_MS[ghost]
        added = [key - server - debounce_ms for key, server in zip(notes["key_ms"], notes["server_ms"], strict=True)]
        figures = {"key_ms": notes["key_ms"], "server_ms": notes["server_ms"], "added_ms": added, "start_ms": starts}
        told = {name: _quantiles(values) for name, values in figures.items()}
        print(json.dumps({"nvim": str(nvim), "ghost": ghost, "debounce_ms": debounce_ms, **told}))


def _start_ms(nvim: Path, folder: Path) -> float:
    """What the plugin's own file and `setup` take of a Neovim's start, with a file opened."""
    run = Run(nvim, "start", folder, environment={"SPEC_EARLY": "yes"}, files=("first.py",))
    return float(asyncio.run(run_nvim(run, {}))["start_ms"])


def _quantiles(values: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=20)
    return {"p50": round(cuts[9], 1), "p95": round(cuts[18], 1)}


if __name__ == "__main__":
    main()
