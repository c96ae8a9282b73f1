"""The models on this machine: `models/<id>/<file>` in Heron's home, each verified once and remembered as such."""

import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from heron.errors import NoPermission
from heron.host.models.catalog import CATALOG, CatalogEntry
from heron.host.models.check import check_file
from heron.host.models.mlc_format import is_mlc_folder
from heron.host.models.sizes import file_sizes
from heron.settings import home_folder

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found when a stored file was hashed; it holds while size and modification time stay the same."""

    size_bytes: int
    modified_ns: int
    sha256: str


@dataclass(frozen=True, slots=True)
class StoredModel:
    id: str
    path: Path
    size_bytes: int


def list_installed() -> tuple[str, ...]:
    """The names of this user's stored models."""
    return tuple(model.id for model in Store(home_folder()).list())


def next_smaller(name: str) -> str:
    """The name of the largest stored model that is smaller than this one; empty if there is none."""
    sizes = {model.id: model.size_bytes for model in Store(home_folder()).list()}
    smaller = [(size, other) for other, size in sizes.items() if size < sizes.get(name, 0)]
    return max(smaller, default=(0, ""))[1]


class Store:
    """The stored models under one home folder. Holds no state but the folder's name."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "models"

    def folder_of(self, entry: CatalogEntry) -> Path:
        return self.folder / entry.id

    def path_of(self, entry: CatalogEntry) -> Path:
        """Where the model's file is, or would be once fetched."""
        return entry.local_path or self.folder_of(entry) / entry.file_name  # a folder where the entry names no file

    def find(self, entry: CatalogEntry, report: Callable[[int], None] | None = None) -> Path | None:
        """The model's verified file, None if it is not stored.

        It is hashed the first time and whenever its size or modification time changed; `report` is told the bytes
        read. Raises CorruptModel for an altered or truncated file.
        """
        path = self.path_of(entry)
        if not path.is_file():
            return None
        if entry.local_path is None and not self._is_remembered(entry):
            self.remember(entry, check_file(path, self._checksums(entry), report))
        return path

    def accept(self, entry: CatalogEntry, candidate: Path, sha256: str) -> Path:
        """Move a verified file into its place, atomically: no reader ever sees a part of it."""
        os.replace(candidate, self.path_of(entry))
        self.remember(entry, sha256)
        return self.path_of(entry)

    def remember(self, entry: CatalogEntry, sha256: str) -> None:
        """Note that the stored file has this sha256, so that the next start need not hash it."""
        stat = self.path_of(entry).stat()
        note = Verified(stat.st_size, stat.st_mtime_ns, sha256)
        fresh = self._note_path(entry).with_suffix(".new")
        try:
            fresh.write_text(json.dumps(asdict(note)), encoding="utf-8")
            os.replace(fresh, self._note_path(entry))
        except OSError as error:  # a store prepared by someone else and read-only: hashed at each start, but usable
            _log.info("%s is not remembered as verified: %s.", entry.id, error.strerror)

    def list(self) -> list[StoredModel]:
        """Stored models of the catalogue, in its order, then MLC-LLM's."""
        paths = [(entry, self.path_of(entry)) for entry in CATALOG]
        stored = [StoredModel(entry.id, path, path.stat().st_size) for entry, path in paths if path.is_file()]
        return [*stored, *_list_folders(self.folder)]

    def remove(self, entry: CatalogEntry) -> int:
        """Delete what is stored of a model, unfinished downloads too. Returns the bytes freed."""
        folder = self.folder_of(entry)
        freed = folder_bytes(folder)
        try:
            if folder.exists():
                shutil.rmtree(folder)
        except PermissionError as error:
            raise NoPermission(f"{error.filename} may not be deleted by this user.") from error
        return freed

    def discard(self, entry: CatalogEntry) -> None:
        """Delete a stored file that turned out to be altered."""
        self.path_of(entry).unlink(missing_ok=True)
        self._note_path(entry).unlink(missing_ok=True)

    def _is_remembered(self, entry: CatalogEntry) -> bool:
        note, stat = self._read_note(entry), self.path_of(entry).stat()
        if note is None or (note.size_bytes, note.modified_ns) != (stat.st_size, stat.st_mtime_ns):
            return False
        return not entry.checksums or note.sha256 in self._checksums(entry)

    def _checksums(self, entry: CatalogEntry) -> frozenset[str]:
        """Pinned sums, and the one noted when the file came from a hub that vouched for it."""
        note = self._read_note(entry)
        if entry.hub and entry.hub.sha256 is None and note:
            return entry.checksums | {note.sha256}
        return entry.checksums

    def _read_note(self, entry: CatalogEntry) -> Verified | None:
        try:
            return Verified(**json.loads(self._note_path(entry).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _note_path(self, entry: CatalogEntry) -> Path:
        return self.folder_of(entry) / f"{entry.file_name}.verified.json"


def _list_folders(store: Path) -> Iterator[StoredModel]:
    """Fetched folders of MLC-LLM's, by name."""
    for folder in sorted(path for path in store.glob("*/") if is_mlc_folder(path)):
        yield StoredModel(folder.name, folder, folder_bytes(folder))


def folder_bytes(folder: Path) -> int:
    """Bytes of all files under a folder; 0 if it is not there."""
    return sum(file_sizes(folder))
