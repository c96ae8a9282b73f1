"""MLC-LLM's package for tests: the real one where it can be imported, else its stand-in."""

import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

STAND_IN = Path(__file__).parent / "stand_ins"


def has_real_package() -> bool:
    return importlib.util.find_spec("mlc_llm") is not None


@contextmanager
def package(monkeypatch: pytest.MonkeyPatch) -> Iterator[bool]:
    """Let `mlc_llm` be imported, here and in child processes; whether it is the real one."""
    if has_real_package():
        yield True
        return
    monkeypatch.syspath_prepend(str(STAND_IN))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(STAND_IN), os.environ.get("PYTHONPATH", "")]))
    yield False
    for name in [name for name in sys.modules if name.partition(".")[0] == "mlc_llm"]:
        del sys.modules[name]
