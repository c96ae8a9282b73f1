"""From a key to its ghost text in a real Neovim, beside the server's own time. `python -m bench.neovim` from tests/.

HERON_NVIM names the Neovims. The engine is scripted: what is measured is what the front end and the server add.
"""

import asyncio
import json
import os
import statistics
import tempfile
from pathlib import Path

from editors.nvim import FOUND, Run, run_spec
from editors.test_neovim_completions import answer

KEYS = 40


def main() -> None:
    for nvim in FOUND:
        for ghost in ("auto", "own"):
            with tempfile.TemporaryDirectory() as folder:
                os.environ["HERON_HOME"] = str(Path(folder) / "home")
                run = Run(nvim, "latency", Path(folder), {"ghost": ghost}, {"SPEC_STEPS": str(KEYS)})
                notes = asyncio.run(run_spec(run, answer))
            figures = {name: _quantiles(notes[name]) for name in ("key_ms", "server_ms")}
            print(json.dumps({"nvim": str(nvim), "ghost": ghost, **figures}))


def _quantiles(values: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=20)
    return {"p50": round(cuts[9], 1), "p95": round(cuts[18], 1)}


if __name__ == "__main__":
    main()
