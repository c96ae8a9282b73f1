"""The index of a workspace: what is defined and used where. Its calls block; each is safe from any thread."""

import hashlib
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from heron.editor.context.index import definitions, schema, search, store
from heron.editor.context.index.overlay import Overlay
from heron.editor.context.index.rank import rank
from heron.editor.context.index.read_file import read_file
from heron.editor.context.index.scan import write_result
from heron.editor.context.index.scanner import Scanner
from heron.editor.context.index.symbol import Occurrence, Passage, Progress, Symbol
from heron.editor.document import Document
from heron.editor.syntax.languages import find_language
from heron.editor.workspace.folders import Workspace
from heron.editor.workspace.walk import find_file

logger = logging.getLogger(__name__)

MAX_FOUND = 1_000
MAX_SCORED = 10_000
"""Pieces scored for a question that may take a while."""


class Placed(Protocol):
    @property
    def path(self) -> Path: ...


Row = TypeVar("Row", bound=Placed)
Answer = TypeVar("Answer")


class Index:
    """The database of a workspace, which several processes may share, and over it this process's unsaved documents."""

    def __init__(self, path: Path, workspace: Workspace) -> None:
        """Open the database at `path`; `Index.open` chooses the path."""
        self.path = path
        self.workspace = workspace
        self._lock = threading.RLock()
        self._open()
        self.revision = 0
        """Counts what this process did to bring it up to date."""
        self._overlay = Overlay()
        self._scanner = Scanner(path, workspace)

    @classmethod
    def open(cls, cache_folder: Path, workspace: Workspace) -> "Index":
        """The index of a workspace's folders below a cache folder. Raises a HeronError if that cannot be written."""
        return cls(database_path(cache_folder, workspace), workspace)

    def find_symbols(self, query: str, limit: int = 20) -> tuple[Symbol, ...]:
        """Symbols by name: exact, then its start, its parts or initials, then like spelling."""
        wanted = query.strip().rpartition(".")[2][:200]
        if not wanted:
            return ()
        return tuple(rank(wanted, self._gather(lambda base: search.find_symbols(base, wanted, limit)), limit))

    def find_references(self, name: str, limit: int = 50) -> tuple[Occurrence, ...]:
        """Files that use a name outside of comments and strings, those that use it most first."""
        found = self._gather(lambda base: search.occurrences(base, name, limit))
        return tuple(sorted(found, key=lambda one: (-one.count, str(one.path)))[:limit])

    def search_text(self, words: str, limit: int = 20, most_scored: int = MAX_SCORED) -> tuple[Passage, ...]:
        """Pieces of files that are about the words of a text, by BM25; common words are left out beyond `most_scored`.

        A thousand pieces that have to be scored take about half a millisecond.
        """
        found = self._gather(lambda base: search.passages(base, words, limit, most_scored))
        return tuple(sorted(found, key=lambda one: -one.score)[:limit])

    def symbols_of(self, path: Path, inside: str = "", names: Sequence[str] = ()) -> tuple[Symbol, ...]:
        """The first symbols of one file that lie right in a container, or in none; of some names only, if any."""
        return tuple(self._gather(lambda base: search.symbols_of_file(base, str(path), inside, names)))

    def definitions_of(self, names: Sequence[str], from_path: Path, most: int = MAX_FOUND) -> tuple[Symbol, ...]:
        """Definitions of names that a file uses, the likeliest first: imported, then near, then anywhere.

        After `most` have been found no others are looked for; there may be a few more.
        """
        asked = _asked(names, from_path, most)
        return self._ask_both((), lambda views: definitions.find(views, asked))

    def files_of(self, module: str, name: str, from_path: Path) -> tuple[Path, ...]:
        """Files that an import of `name` out of `module` in a file may mean, the likeliest first."""
        asked = _asked((), from_path)
        nothing: list[str] = []
        found = self._ask_both(nothing, lambda views: definitions.find_files(views, asked, module, name))
        return tuple(Path(path) for path in found)

    def files_ending(self, end: str) -> tuple[Path, ...]:
        """Indexed files whose path ends in this, which begins with a slash."""
        nothing: list[str] = []
        return tuple(Path(path) for path in self._ask(nothing, lambda base: search.files_ending(base, end)))

    def links(self) -> list[tuple[str, str, int]]:
        """Who imports from whom: two paths, and how many names. Takes about a second on a million lines."""
        base = schema.open_database(self.path)  # of its own: the lock is not held for so long
        try:
            return search.links(base)
        except sqlite3.DatabaseError as error:
            logger.warning("The links between files could not be read: %s", error)
            return []
        finally:
            base.close()

    @property
    def is_complete(self) -> bool:
        """Whether a scan of this workspace has ever come to its end."""
        return self._ask(False, store.is_complete)

    def scan(self, report: Callable[[Progress], None]) -> bool:
        """Bring the index in line with the disk, in processes of its own; False if `close` ended that."""
        done = self._scanner.scan(report)
        with self._lock:
            if self._inode != _inode(self.path):  # the scan made it anew
                self._open()
            self.revision += 1
        return done

    def update(self, path: Path) -> None:
        """Read one file anew, or forget it if it is gone or no longer to be indexed."""
        self.revision += 1
        found = find_file(self.workspace, path)
        if found is None:
            self._write(lambda base: store.remove_files(base, [str(path)]))
            return
        known = self._ask(None, lambda base: store.hash_of(base, found.path))
        result = read_file(self.workspace, found, known)
        self._write(lambda base: write_result(base, found, result))

    def show(self, path: Path, document: Document) -> None:
        """From now on an open document counts in the place of the file at `path`."""
        if not self.workspace.is_private(path):
            self._overlay.put(path, document)

    def hide(self, path: Path) -> None:
        """A document was closed: what is on disk counts again."""
        self._overlay.drop(path)

    def close(self) -> None:
        self._scanner.close()
        with self._lock:
            self._base.close()
        self._overlay.close()

    def _gather(self, question: Callable[[sqlite3.Connection], Iterable[Row]]) -> list[Row]:
        """Answers of the database and of the unsaved documents, which hide what it says of the same files."""
        hidden = self._overlay.paths
        nothing: list[Row] = []
        found = self._ask(nothing, lambda base: [row for row in question(base) if str(row.path) not in hidden])
        if hidden:
            with self._overlay.lock:
                found += question(self._overlay.base)
        return found

    def _ask_both(self, nothing: Answer, question: Callable[[Sequence[definitions.View]], Answer]) -> Answer:
        """What the unsaved documents and the database say together."""
        hidden = self._overlay.paths
        with self._lock, self._overlay.lock:
            overlay = definitions.View(self._overlay.base, frozenset())
            return self._ask(nothing, lambda base: question((overlay, definitions.View(base, hidden))))

    def _write(self, change: Callable[[sqlite3.Connection], None]) -> None:
        def write(base: sqlite3.Connection) -> None:
            with store.transaction(base):
                change(base)

        self._ask(None, write)

    def _ask(self, nothing: Answer, question: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """What the database answers; `nothing`, and a new database, if it turns out to be damaged."""
        with self._lock:
            try:
                return question(self._base)
            except (sqlite3.OperationalError, sqlite3.ProgrammingError) as error:
                logger.warning("The index could not be asked: %s", error)
            except sqlite3.DatabaseError as error:
                logger.warning("The index is damaged (%s) and made anew", error)
                self._base.close()
                schema.remove_database(self.path)
                self._open()
        return nothing

    def _open(self) -> None:
        self._base = schema.open_database(self.path)
        self._inode = _inode(self.path)


def database_path(cache_folder: Path, workspace: Workspace) -> Path:
    """Where the index of these folders lies. The version of its tables is in the name: two Herons do not disturb."""
    folders = "\0".join(sorted(os.fspath(folder) for folder in workspace.folders))
    name = hashlib.blake2b(folders.encode("utf-8", "surrogateescape"), digest_size=10).hexdigest()
    return cache_folder / f"v{schema.VERSION}-{name}.sqlite"


def _asked(names: Sequence[str], from_path: Path, most: int = MAX_FOUND) -> definitions.Asked:
    language = find_language("", str(from_path))
    return definitions.Asked(tuple(names), str(from_path), language.name if language else "", most)


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0
