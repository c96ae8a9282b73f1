"""Artefacts: a model packed and compiled for this machine, built once under a lock and kept in Heron's home.

    <home>/artefacts/<model>-<identity>-<instruction set>-<threads>t-<build>/
        manifest.json  weights.bin  library.*  and what `Extras` adds (the tokenizer)

The folder's name is the cache key. Its last part covers Heron's and TVM's versions and the compiler's own source, so
a changed kernel is compiled anew, and what it replaces is deleted.
"""

import errno
import hashlib
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock

import heron
from heron.errors import CorruptModel, DiskFull, ModelUnavailable, NoPermission
from heron.host.compiler.architectures import read_config, rope_frequencies
from heron.host.compiler.library import library_files, save_library
from heron.host.compiler.manifest import WEIGHTS_FILE, Manifest, read_manifest, write_manifest
from heron.host.compiler.target import CpuTarget, choose_target, choose_threads
from heron.host.compiler.weights import EMBEDDING, write_weights
from heron.host.models.gguf import GgufFile, open_gguf
from heron.host.models.progress import Progress, Report
from heron.settings import EngineSettings, home_folder

Extras = Callable[[GgufFile, Path], None]
"""Writes further files into an artefact folder that is being built."""

_SAMPLES, _SAMPLE_BYTES = 256, 4096
_STAGES = 2  # packing, by bytes, is the first half of the bar; compiling the second

_log = logging.getLogger(__name__)


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
    with _clear_errors(model_path):
        folder = artefact_folder(model_path, order.target, order.threads)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(folder.name + ".lock")):
            if not _is_whole(folder):
                _build(order, folder)
    return folder


def artefact_folder(model_path: Path, target: CpuTarget, threads: int) -> Path:
    """Where the artefact of a model is or would be."""
    kind = f"{model_path.stem}-{_identify(model_path)}-{target.instruction_set}-{threads}t"
    return home_folder() / "artefacts" / f"{kind}-{_identify_build(target)}"


def _is_whole(folder: Path) -> bool:
    if not folder.exists():
        return False
    try:
        read_manifest(folder)
    except CorruptModel as error:
        _log.warning("%s It is built anew.", error)
        return False
    return True


def _build(order: _Order, folder: Path) -> None:
    """Build in a folder beside the final one and rename it, so that no half artefact is ever found."""
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        _write(order, partial)
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    _remove_replaced(folder)


def _write(order: _Order, folder: Path) -> None:
    from heron.host.compiler.pipeline import compile_decoder, plan_decoder  # loads the compiler

    file = open_gguf(order.model_path)
    config = read_config(file)
    plan = plan_decoder(file, config, order.target, order.threads)

    def report_packing(done: int, total: int) -> None:
        order.report(Progress("compiling", "Packing weights", done, total * _STAGES))

    entries = {entry.name: entry for entry in write_weights(file, config, folder / WEIGHTS_FILE, report_packing)}
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
        rope_frequencies=tuple(rope_frequencies(file, config).tolist()),
        sizes={name: (folder / name).stat().st_size for name in (WEIGHTS_FILE, *library_files(kind))},
    )
    write_manifest(folder, manifest)
    order.report(Progress("compiling", "Compiled", _STAGES, _STAGES))


def _remove_replaced(folder: Path) -> None:
    """Delete artefacts that differ only in the build: an older Heron's. Processes that run them keep their mapping."""
    kind = folder.name.rpartition("-")[0]
    for other in folder.parent.glob(f"{kind}-*"):
        if other != folder and other.is_dir():
            shutil.rmtree(other, ignore_errors=True)


def _identify(path: Path) -> str:
    """A short digest of a model file by its size, its beginning and evenly spaced samples.

    The files of the catalogue are checked whole when they are fetched; hashing gigabytes at each start would cost
    more than loading them.
    """
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        digest.update(file.read(1 << 20))
        for index in range(_SAMPLES):
            file.seek(size * index // _SAMPLES)
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()[:8]


def _identify_build(target: CpuTarget) -> str:
    """A short digest of everything but the model that shapes an artefact."""
    digest = hashlib.sha256(f"{heron.__version__} {version('apache-tvm')} {target.describe()}".encode())
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:8]


@contextmanager
def _clear_errors(model_path: Path) -> Iterator[None]:
    """Turn errors of the file system into sentences a user can act on."""
    try:
        yield
    except OSError as error:
        place = home_folder() / "artefacts"
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise DiskFull(
                f"No space to compile {model_path.name} into {place}.", hint=_space_hint(model_path)
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise NoPermission(f"{error.filename or place} may not be written by this user.") from error
        if isinstance(error, FileNotFoundError) and not model_path.exists():
            raise ModelUnavailable(f"There is no model file {model_path}.") from error
        raise


def _space_hint(model_path: Path) -> str:
    needed = model_path.stat().st_size * 1.1 / 1e6
    return f"It takes about {needed:.0f} MB; set HERON_HOME to a folder on a larger disk."
