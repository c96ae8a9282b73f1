"""Homes for tests and their child processes, and the names of the real models."""

import os
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
STORE = CHECKOUT / ".heron"
"""Where fetched models stay from one run to the next; git ignores it."""
SMALL = "smollm2-135m-instruct"
CODER = "qwen2.5-coder-0.5b-instruct"


def environment(home: Path, **values: str) -> dict[str, str]:
    """The environment of a child process that lives in `home`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HERON_")}
    return kept | {"HERON_HOME": str(home)} | values
