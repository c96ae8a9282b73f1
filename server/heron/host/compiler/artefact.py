"""Artefacts: a model packed and compiled for this machine, built once under a lock and kept in Heron's home.

    <home>/artefacts/<model>-<identity>-<instruction set>[-<cache>]-<threads>t-<build>/
        manifest.json  weights.bin  library.*  and what `Extras` adds (the tokenizer)

The folder's name is the cache key. Its last part covers Heron's and TVM's versions and the compiler's own source, so
a changed kernel is compiled anew, and what it replaces is deleted.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from heron.host.compiler.architectures import read_config, rope_frequencies
from heron.host.compiler.build_once import Extras, build_once, explain_file_errors, name_folder
from heron.host.compiler.library import library_files, save_library
from heron.host.compiler.manifest import WEIGHTS_FILE, Manifest, read_manifest, write_manifest
from heron.host.compiler.target import CpuTarget, choose_target, choose_threads
from heron.host.compiler.weights import EMBEDDING, write_weights
from heron.host.models.open import open_model
from heron.host.models.progress import Progress, Report
from heron.settings import EngineSettings

_STAGES = 2  # packing, by bytes, is the first half of the bar; compiling the second


@dataclass(frozen=True, slots=True)
class _Order:
    """An artefact to be made."""

    model_path: Path
    target: CpuTarget
    threads: int
    report: Report
    extras: Extras


def ensure_artefact(
    model_path: Path, engine: EngineSettings, report: Report, extras: Extras = lambda file, folder: None
) -> Path:
    """The artefact folder of a model for these settings, built if it is not there or damaged.

    Two processes build it once. Raises CorruptModel, UnsupportedModel, InvalidSettings (an instruction set this
    machine lacks), CompileFailed, DiskFull or NoPermission; a failed build leaves nothing behind.
    """
    order = _Order(model_path, choose_target(engine), choose_threads(engine), report, extras)
    with explain_file_errors(model_path):
        folder = artefact_folder(model_path, order.target, order.threads)
        build_once(folder, read_manifest, partial(_write, order))
    return folder


def artefact_folder(model_path: Path, target: CpuTarget, threads: int) -> Path:
    """Where the artefact of a model is or would be."""
    return name_folder(model_path, f"{target.code}-{threads}t", target.describe(), without="gpu")


def _write(order: _Order, folder: Path) -> None:
    from heron.host.compiler.pipeline import compile_decoder, plan_decoder  # loads the compiler

    file = open_model(order.model_path)
    config = read_config(file)
    plan = plan_decoder(file, config, order.target, order.threads)

    def report_packing(done: int, total: int) -> None:
        order.report(Progress("compiling", "Packing weights", done, total * _STAGES))

    restores = plan.attention.restores_bias
    written = write_weights(file, config, folder / WEIGHTS_FILE, report_packing, restores)
    entries = {entry.name: entry for entry in written}
    order.report(Progress("compiling", f"Compiling for {order.target.instruction_set}", 1, _STAGES))
    compiled = compile_decoder(plan, order.target)
    kind = save_library(compiled.executable, folder)
    order.extras(file, folder)
    manifest = Manifest(
        config=config,
        attention=plan.attention,
        target=order.target.describe(),
        threads=order.threads,
        library_kind=kind,
        parameters=tuple(entries[name] for name in compiled.parameter_names),
        embedding=entries[EMBEDDING],
        embedding_type=file.tensors["token_embd.weight"].type_name,
        rope_frequencies=tuple(map(tuple, rope_frequencies(file, config).tolist())),
        sizes={name: (folder / name).stat().st_size for name in (WEIGHTS_FILE, *library_files(kind))},
    )
    write_manifest(folder, manifest)
    order.report(Progress("compiling", "Compiled", _STAGES, _STAGES))
