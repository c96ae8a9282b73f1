"""The tables of an index, opening them, and starting anew where they are damaged or of another version.

Full-text tables are contentless: they keep no text, and SQLite cannot delete from them cheaply. Rows of files that
changed stay behind and are dropped by the join; `store.is_worn` says when there are so many that a new index is due.
Paths are kept backwards, too: what ends in `/a/b.py` is then a range of an index.
"""

import logging
import os
import re
import sqlite3
from contextlib import suppress
from pathlib import Path

from heron.errors import DiskFull, NoPermission, SystemFault

logger = logging.getLogger(__name__)

VERSION = 3
BUSY_TIMEOUT_S = 10.0
CACHE_KIB = 16_384

_TABLES = """
CREATE TABLE files (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    hash BLOB NOT NULL, language TEXT NOT NULL, skipped TEXT NOT NULL, names BLOB NOT NULL,
    backwards TEXT NOT NULL, folder_backwards TEXT NOT NULL);
CREATE INDEX files_backwards ON files (backwards);
CREATE INDEX files_folder_backwards ON files (folder_backwards);
CREATE TABLE symbols (
    id INTEGER PRIMARY KEY, file INTEGER NOT NULL, name TEXT NOT NULL, lowered TEXT NOT NULL, kind TEXT NOT NULL,
    start_line INTEGER NOT NULL, start_column INTEGER NOT NULL, end_line INTEGER NOT NULL, end_column INTEGER NOT NULL,
    signature TEXT NOT NULL, container TEXT NOT NULL, doc TEXT NOT NULL);
CREATE INDEX symbols_by_name ON symbols (lowered, name);
CREATE INDEX symbols_by_file ON symbols (file, name);
CREATE TABLE imports (file INTEGER NOT NULL, module TEXT NOT NULL, name TEXT NOT NULL, alias TEXT NOT NULL,
    line INTEGER NOT NULL);
CREATE INDEX imports_by_file ON imports (file);
CREATE INDEX imports_by_module ON imports (module);
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY, file INTEGER NOT NULL, start_line INTEGER NOT NULL, end_line INTEGER NOT NULL);
CREATE INDEX chunks_by_file ON chunks (file);
CREATE VIRTUAL TABLE chunk_words USING fts5 (
    words, content='', tokenize="porter unicode61 remove_diacritics 0 tokenchars '_'");
CREATE VIRTUAL TABLE symbol_words USING fts5 (
    words, content='', prefix='2 3', detail='none', tokenize="unicode61 remove_diacritics 0 tokenchars '_'");
CREATE VIRTUAL TABLE symbol_grams USING fts5 (name, content='', detail='none', tokenize='trigram');
CREATE TABLE facts (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO facts VALUES ('last_symbol', 0), ('last_chunk', 0), ('complete', 0);
"""


def open_database(path: Path) -> sqlite3.Connection:
    """A connection to the index at a path, made anew if there is none or it is no good. Threads may share it by turns.

    Raises a HeronError if the place cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            return _open(path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and re.search(r"unable to open|is full", str(error)):
                raise
            logger.warning("The index %s is damaged (%s) and made anew", path, error)
            remove_database(path)
            return _open(path)
    except (OSError, sqlite3.Error) as error:
        raise explain(error, path) from error


def open_in_memory() -> sqlite3.Connection:
    """An empty index of its own, for what is not on disk."""
    connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    connection.executescript(_TABLES)
    return connection


def remove_database(path: Path) -> None:
    """Delete an index; processes that have it open go on with what they have until they open it again."""
    for name in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))):
        with suppress(FileNotFoundError):
            name.unlink()


def explain(error: Exception, path: Path) -> Exception:
    """One of our errors for one of SQLite's or the system's."""
    text = str(error)
    if "full" in text:
        return DiskFull(f"The index at {path.parent} cannot be written: {text}.")
    if isinstance(error, PermissionError) or "readonly" in text or "unable to open" in text:
        return NoPermission(f"The index at {path.parent} cannot be opened: {text}.")
    return SystemFault(f"The index at {path.parent} failed: {text}.")


def _open(path: Path) -> sqlite3.Connection:
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, check_same_thread=False, isolation_level=None)
    try:
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, VERSION):
        raise sqlite3.DatabaseError(f"its version is {version}, this Heron's is {VERSION}")
    if version == 0:
        # Two processes may come here at once; the second waits and then finds the tables made.
        try:
            connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
        except sqlite3.OperationalError as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if "is full" in str(error):
                raise
    connection.execute("SELECT count(*) FROM facts").fetchone()
