"""Build an artefact folder once, under a lock, and name it so that whatever shapes it changes its name."""

import errno
import hashlib
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock

import heron
from heron.errors import CorruptModel, DiskFull, ModelUnavailable, NoPermission
from heron.host.models.gguf import GgufFile
from heron.settings import home_folder

Extras = Callable[[GgufFile, Path], None]
"""Writes further files into an artefact folder that is being built."""

_SAMPLES, _SAMPLE_BYTES = 256, 4096

_log = logging.getLogger(__name__)


def name_folder(model_path: Path, kind: str, target: str, without: str = "") -> Path:
    """Where an artefact of a model is or would be; `kind` is what one model may have several of.

    It changes with the compiler's sources, but for those of the folder `without`, which it does not come from.
    """
    name = model_path.name if model_path.is_dir() else model_path.stem
    build = _identify_build(target, without)
    return home_folder() / "artefacts" / f"{name}-{_identify(model_path)}-{kind}-{build}"


def build_once(folder: Path, check: Callable[[Path], object], write: Callable[[Path], None]) -> None:
    """Let `write` fill the folder if it is not there or `check` raises CorruptModel; other processes wait.

    It is built beside its place and renamed, so that no half artefact is ever found.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(folder.name + ".lock")):
        if not _is_whole(folder, check):
            _build(folder, write)


@contextmanager
def explain_file_errors(model_path: Path) -> Iterator[None]:
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


def _is_whole(folder: Path, check: Callable[[Path], object]) -> bool:
    if not folder.exists():
        return False
    try:
        check(folder)
    except CorruptModel as error:
        _log.warning("%s It is built anew.", error)
        return False
    return True


def _build(folder: Path, write: Callable[[Path], None]) -> None:
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        write(partial)
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    _remove_replaced(folder)


def _remove_replaced(folder: Path) -> None:
    """Delete artefacts that differ only in the build: an older Heron's. Processes that run them keep their mapping."""
    kind = folder.name.rpartition("-")[0]
    for other in folder.parent.glob(f"{kind}-*"):
        if other != folder and other.is_dir():
            shutil.rmtree(other, ignore_errors=True)


def _identify(path: Path) -> str:
    """A short digest of a model file by its size, its beginning and evenly spaced samples.

    The files of the catalogue are checked whole when they are fetched; hashing gigabytes at each start would cost
    more than loading them. A folder of MLC-LLM's is known by its small files, which hold the others' md5.
    """
    if path.is_dir():
        return _identify_folder(path)
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        digest.update(file.read(1 << 20))
        for index in range(_SAMPLES):
            file.seek(size * index // _SAMPLES)
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()[:8]


def _identify_folder(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.json")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:8]


def _identify_build(target: str, without: str) -> str:
    """A short digest of everything but the model that shapes an artefact."""
    digest = hashlib.sha256(f"{heron.__version__} {version('apache-tvm')} {target}".encode())
    here = Path(__file__).parent
    for source in sorted(here.rglob("*.py")):
        if source.relative_to(here).parts[0] != without:
            digest.update(source.read_bytes())
    return digest.hexdigest()[:8]


def _space_hint(model_path: Path) -> str:
    paths = model_path.iterdir() if model_path.is_dir() else [model_path]
    needed = sum(path.stat().st_size for path in paths) * 1.1 / 1e6
    return f"It takes about {needed:.0f} MB; set HERON_HOME to a folder on a larger disk."
