"""The kernels of a model, compiled for one kind of card; built once and kept beside the CPU's artefacts.

    <home>/artefacts/<model>-<identity>-cuda-sm_90-<build>/
        kernels.json  library.so  and what `Extras` adds (the tokenizer)

Weights are not in it: they are packed from the GGUF file at each load, as they go to the card.
"""

import json
from functools import partial
from pathlib import Path

from heron.errors import CompileFailed, CorruptModel
from heron.host.compiler.architectures import read_config
from heron.host.compiler.build_once import Extras, build_once, explain_file_errors, name_folder
from heron.host.compiler.gpu.cuda_toolkit import REMEDY, find_toolkit, use_toolkit
from heron.host.compiler.gpu.model import plan_kernels
from heron.host.models.open import open_model
from heron.host.models.progress import Progress, Report

LIBRARY_FILE = "library.so"
_NOTE_FILE = "kernels.json"
_FORMAT = 1


def ensure_cuda_artefact(
    model_path: Path, architecture: str, report: Report, extras: Extras = lambda file, folder: None
) -> Path:
    """The artefact folder of a model for cards of this architecture, built if it is not there or damaged.

    Raises as `artefact.ensure_artefact` does; CompileFailed also where there is no compiler for CUDA.
    """
    with explain_file_errors(model_path):
        folder = name_folder(model_path, f"cuda-{architecture}", architecture)
        build_once(folder, _check, partial(_write, model_path, architecture, (report, extras)))
    return folder


def _write(model_path: Path, architecture: str, hooks: tuple[Report, Extras], folder: Path) -> None:
    from heron.host.compiler.gpu.kernels import compile_kernels  # loads the compiler

    (report, extras), file, library = hooks, open_model(model_path), folder / LIBRARY_FILE
    plan = plan_kernels(file, read_config(file))
    toolkit = find_toolkit()
    if toolkit is None:
        raise CompileFailed("There is no compiler for CUDA.", hint=REMEDY)
    use_toolkit(toolkit)
    report(Progress("compiling", f"Compiling for CUDA {architecture} with {toolkit.compiler}", 0, 1))
    executable = compile_kernels(plan, architecture)
    try:
        executable.export_library(str(library))
    except (OSError, RuntimeError) as error:
        raise CompileFailed(f"The kernels for CUDA could not be linked: {error}", hint=REMEDY) from error
    extras(file, folder)
    note = {"format": _FORMAT, "architecture": architecture, "bytes": library.stat().st_size}
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
