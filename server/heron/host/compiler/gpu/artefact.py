"""The kernels of a model, compiled for one kind of GPU; built once and kept beside the CPU's artefacts.

    <home>/artefacts/<model>-<identity>-cuda-sm_90-<build>/    or …-metal-<build>/
        kernels.json  library.so  and what `Extras` adds (the tokenizer)

Weights are not in it: they are packed from the GGUF file at each load, as they go to the GPU.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from heron.errors import CompileFailed, CorruptModel
from heron.host.compiler.architectures import read_config
from heron.host.compiler.build_once import Extras, build_once, explain_file_errors, name_folder
from heron.host.compiler.gpu.model import plan_kernels
from heron.host.compiler.gpu.plan import KernelPlan
from heron.host.compiler.gpu.shapes import GpuLimits
from heron.host.models.open import open_model
from heron.host.models.progress import Progress, Report

LIBRARY_FILE = "library.so"
_NOTE_FILE = "kernels.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class KernelTarget:
    """What to compile for. `name` tells apart the folders of one model; `prepare` finds the compiler.

    `prepare` returns its name for the progress message, or raises CompileFailed; `remedy` is for when linking fails.
    """

    name: str
    title: str
    limits: GpuLimits
    prepare: Callable[[], str]
    compile: Callable[[KernelPlan], Any]
    remedy: str


def ensure_kernels(model_path: Path, target: KernelTarget, report: Report, extras: Extras) -> Path:
    """The artefact folder of a model for this target, built if it is not there or damaged.

    Raises as `compiler.artefact.ensure_artefact` does; CompileFailed also where there is no compiler.
    """
    with explain_file_errors(model_path):
        folder = name_folder(model_path, target.name, target.name)
        build_once(folder, _check, partial(_write, model_path, target, (report, extras)))
    return folder


def _write(model_path: Path, target: KernelTarget, hooks: tuple[Report, Extras], folder: Path) -> None:
    (report, extras), file, library = hooks, open_model(model_path), folder / LIBRARY_FILE
    plan = plan_kernels(file, read_config(file), target.limits)
    compiler = target.prepare()
    report(Progress("compiling", f"Compiling for {target.title} with {compiler}", 0, 1))
    executable = target.compile(plan)
    try:
        executable.export_library(str(library))
    except (OSError, RuntimeError) as error:
        raise CompileFailed(
            f"The kernels for {target.title} could not be linked: {error}", hint=target.remedy
        ) from error
    extras(file, folder)
    note = {"format": _FORMAT, "target": target.name, "bytes": library.stat().st_size}
    (folder / _NOTE_FILE).write_text(json.dumps(note), encoding="utf-8")
    report(Progress("compiling", "Compiled", 1, 1))


def _check(folder: Path) -> None:
    """CorruptModel if the folder is not whole."""
    try:
        note = json.loads((folder / _NOTE_FILE).read_text(encoding="utf-8"))
        found = (folder / LIBRARY_FILE).stat().st_size
        if (note["format"], note["bytes"]) != (_FORMAT, found):
            raise ValueError(f"{LIBRARY_FILE} has {found} bytes instead of {note['bytes']}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorruptModel(f"The kernels in {folder} are damaged: {error}.") from error
