"""The compiled library of an MLC model: the one the settings name, one beside the weights, one of before, or a new one.

MLC-LLM compiles in a child process of ours, so that progress is shown and a failure explained; with
MLC_JIT_POLICY=READONLY or mlc.compile = off nothing is compiled, and it may only look into its own cache.
"""

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from heron.errors import CompileFailed, CorruptModel, ModelUnavailable
from heron.host.compiler.build_once import build_once, explain_file_errors, name_folder
from heron.host.compiler.mlc_probe import Device
from heron.host.models.child import Command, Ended, run_watched
from heron.host.models.progress import Progress, Report
from heron.settings import MlcSettings

POLICY = "MLC_JIT_POLICY"
_SUFFIXES = (".so", ".dylib", ".dll")
_TIMEOUT_S = 1800.0


@dataclass(frozen=True, slots=True)
class Build:
    """What a library is compiled for; `overrides` are MLC-LLM's, by its names."""

    folder: Path
    device: Device
    version: str
    overrides: Mapping[str, int]
    report: Report

    @property
    def written_overrides(self) -> str:
        return ";".join(f"{key}={value}" for key, value in self.overrides.items())


def ensure_library(build: Build, settings: MlcSettings) -> Path | None:
    """The library, compiled if need be; None where MLC-LLM is to look for one itself and nothing may be compiled.

    Raises ModelUnavailable for a named one that is missing, CompileFailed with MLC-LLM's last words.
    """
    if found := find_library(build.folder, settings):
        return found
    if not may_compile(settings):
        return None
    target = f"{build.version} {build.device.name} {build.written_overrides}"
    cached = name_folder(build.folder, f"mlc-{build.device.kind}", target)
    with explain_file_errors(build.folder):
        build_once(cached, _check, partial(_compile, build))
    return cached / _file_name()


def find_library(folder: Path, settings: MlcSettings) -> Path | None:
    """The library that the settings name, else the only one beside the weights. ModelUnavailable for a missing one."""
    if settings.library:
        named = Path(settings.library).expanduser()
        if not named.is_file():
            raise ModelUnavailable(f"mlc.library is {settings.library!r}, and there is no such file.")
        return named
    beside = [path for path in folder.iterdir() if path.suffix in _SUFFIXES]
    return beside[0] if len(beside) == 1 else None


def may_compile(settings: MlcSettings) -> bool:
    """Whether MLC-LLM's own policy and ours let a library be made."""
    return settings.compile == "auto" and os.environ.get(POLICY, "ON") in ("ON", "REDO")


def _check(cached: Path) -> None:
    if not (cached / _file_name()).is_file():
        raise CorruptModel(f"The compiled library in {cached} is missing.")


def _compile(build: Build, target: Path) -> None:
    began, said = time.monotonic(), -1

    def watch() -> int:
        nonlocal said
        seconds = int(time.monotonic() - began)
        if seconds > _TIMEOUT_S:
            raise CompileFailed(f"MLC-LLM did not compile the model within {_TIMEOUT_S:g} s.")
        if seconds != said:
            said = seconds
            message = f"MLC-LLM compiles the model for {build.device.kind}, once ({seconds} s so far)"
            build.report(Progress("compiling", message))
        return 0

    library = target / _file_name()
    command = [sys.executable, "-P", "-m", "mlc_llm", "compile", str(build.folder), "--opt", "O2"]
    command += ["--device", _name_device(build.device), "--output", str(library)]
    if build.overrides:
        command += ["--overrides", build.written_overrides]
    watch()  # says that it begins
    ended = run_watched(Command(command, watch), lambda done: None)
    if not library.is_file():  # its exit status does not always tell
        raise CompileFailed(_explain(ended), hint="Set mlc.library to a compiled one, or engine.backend to tvm.")


def _name_device(device: Device) -> str:
    """As MLC-LLM takes it: a card by its number where it is not the first, for cards may be of different kinds."""
    return f"{device.kind}:{device.index}" if device.index else device.kind


def _explain(ended: Ended) -> str:
    lines = [line.strip() for line in (ended.stdout + ended.stderr).splitlines() if line.strip()]
    last = lines[-1][:300].rstrip(".") if lines else "it said nothing"
    return f"MLC-LLM could not compile the model's library (exit status {ended.returncode}): {last}."


def _file_name() -> str:
    return "library.dll" if sys.platform == "win32" else "library.dylib" if sys.platform == "darwin" else "library.so"
