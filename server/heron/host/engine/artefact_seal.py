"""Whether an artefact is still what was built: a damaged one is built anew, not loaded.

Beside the files lies a seal with their sizes, times and sha256. Sums are made when an artefact is first met; later
only if a size or time has changed, or if a load from it never came to its end: a damaged library may kill who loads it.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

SEAL_FILE, LOADING_FILE = "seal.json", "loading"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Stamp:
    """One file as it was when its sum was made."""

    size: int
    mtime_ns: int
    sha256: str


def sealed_artefact(ensure: Callable[[], Path]) -> Path:
    """The folder that `ensure` gives, built by it once more if its files are not what they were."""
    folder = ensure()
    if damaged := find_damage(folder):
        _log.warning("%s of the compiled model is damaged; it is compiled anew.", damaged)
        shutil.rmtree(folder, ignore_errors=True)
        folder = ensure()
        find_damage(folder)
    return folder


def find_damage(folder: Path) -> str:
    """The name of a file that is not what it was; empty if all are. An artefact without a seal gets one."""
    seal = _read_seal(folder)
    names = sorted(path.name for path in folder.iterdir() if path.name not in (SEAL_FILE, LOADING_FILE))
    if seal is None:
        _write_seal(folder, {name: _stamp(folder / name) for name in names})
        return ""
    is_suspect = (folder / LOADING_FILE).exists()
    fresh = dict(seal)
    for name, stamp in seal.items():
        path = folder / name
        if not path.is_file():
            return name
        if is_suspect or (path.stat().st_size, path.stat().st_mtime_ns) != (stamp.size, stamp.mtime_ns):
            fresh[name] = _stamp(path)
            if fresh[name].sha256 != stamp.sha256:
                return name
    if fresh != seal:
        _write_seal(folder, fresh)
    return ""


@contextmanager
def loading_from(folder: Path) -> Iterator[None]:
    """Leave a mark while an artefact is loaded, so that a process that dies of it is known of by the next."""
    mark = folder / LOADING_FILE
    with suppress(OSError):
        mark.touch()
    yield
    with suppress(OSError):
        mark.unlink()


def _stamp(path: Path) -> _Stamp:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    status = path.stat()
    return _Stamp(status.st_size, status.st_mtime_ns, digest)


def _read_seal(folder: Path) -> dict[str, _Stamp] | None:
    try:
        values = json.loads((folder / SEAL_FILE).read_text(encoding="utf-8"))
        return {name: _Stamp(**stamp) for name, stamp in values.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def _write_seal(folder: Path, seal: dict[str, _Stamp]) -> None:
    fresh = folder / f"{SEAL_FILE}.new"
    try:
        fresh.write_text(json.dumps({name: asdict(stamp) for name, stamp in seal.items()}), encoding="utf-8")
        fresh.replace(folder / SEAL_FILE)
    except OSError as error:  # a full disk, or a folder that somebody else prepared
        _log.info("The artefact is not sealed: %s", error)
        with suppress(OSError):
            fresh.unlink()
