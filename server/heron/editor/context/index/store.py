"""Writing files' facts into an index, and the rows it is asked for by keys."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from heron.editor.context.index.facts import Facts, symbol_words

MIN_WORN_CHUNKS = 2_000
_INSERT_FILE = """INSERT INTO files (path, size, mtime_ns, hash, language, skipped, names, backwards, folder_backwards)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""


@dataclass(frozen=True, slots=True)
class FileRow:
    """What tells whether a file has changed. `skipped` says why a file has no facts, and is empty for one that has."""

    path: str
    size: int
    mtime_ns: int
    hash: bytes
    skipped: str = ""


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """One write transaction: all of it or nothing. Waits for other processes' by SQLite's busy timeout."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def put_file(connection: sqlite3.Connection, row: FileRow, facts: Facts | None) -> None:
    """Write one file in the place of what is known of it. Needs a transaction."""
    remove_files(connection, [row.path])
    language, names = (facts.language, facts.names) if facts else ("", b"")
    values = (row.path, row.size, row.mtime_ns, row.hash, language, row.skipped, names)
    backwards = (row.path[::-1], row.path.rpartition("/")[0][::-1])
    cursor = connection.execute(_INSERT_FILE, (*values, *backwards))
    if facts is not None and cursor.lastrowid is not None:
        _put_symbols(connection, cursor.lastrowid, facts)
        _put_chunks(connection, cursor.lastrowid, facts)
        imports = [(cursor.lastrowid, *one) for one in facts.imports]
        connection.executemany("INSERT INTO imports VALUES (?, ?, ?, ?, ?)", imports)


def touch_file(connection: sqlite3.Connection, row: FileRow) -> None:
    """Note a new time or size for a file whose content is the same."""
    connection.execute("UPDATE files SET size = ?, mtime_ns = ? WHERE path = ?", (row.size, row.mtime_ns, row.path))


def remove_files(connection: sqlite3.Connection, paths: Iterable[str]) -> None:
    """Forget files. Needs a transaction."""
    for path in paths:
        found = connection.execute("SELECT id FROM files WHERE path = ?", (path,)).fetchone()
        if found is not None:
            for table in ("symbols", "imports", "chunks"):
                connection.execute(f"DELETE FROM {table} WHERE file = ?", found)
            connection.execute("DELETE FROM files WHERE id = ?", found)


def known_files(connection: sqlite3.Connection) -> dict[str, tuple[int, int]]:
    """Size and time of every file in the index, by path."""
    rows = connection.execute("SELECT path, size, mtime_ns FROM files")
    return {path: (size, mtime_ns) for path, size, mtime_ns in rows}


def hash_of(connection: sqlite3.Connection, path: str) -> bytes | None:
    found = connection.execute("SELECT hash FROM files WHERE path = ?", (path,)).fetchone()
    return found[0] if found else None


def is_worn(connection: sqlite3.Connection) -> bool:
    """Whether most rows of the full-text tables belong to files as they were once."""
    (ever,) = connection.execute("SELECT value FROM facts WHERE key = 'last_chunk'").fetchone()
    (now,) = connection.execute("SELECT count(*) FROM chunks").fetchone()
    return bool(ever > MIN_WORN_CHUNKS and ever > 3 * now)


def is_complete(connection: sqlite3.Connection) -> bool:
    """Whether a scan has ever come to its end."""
    return bool(connection.execute("SELECT value FROM facts WHERE key = 'complete'").fetchone()[0])


def note_complete(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE facts SET value = 1 WHERE key = 'complete'")


def _put_symbols(connection: sqlite3.Connection, file: int, facts: Facts) -> None:
    first = _take_ids(connection, "last_symbol", len(facts.symbols))
    numbered = list(enumerate(facts.symbols, first))
    rows = [(id_, file, row[0], row[0].lower(), *row[1:]) for id_, row in numbered]
    connection.executemany("INSERT INTO symbols VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    words = [(id_, symbol_words(row[0])) for id_, row in numbered]
    connection.executemany("INSERT INTO symbol_words (rowid, words) VALUES (?, ?)", words)
    grams = [(id_, row[0].lower()) for id_, row in numbered if len(row[0]) > 2]
    connection.executemany("INSERT INTO symbol_grams (rowid, name) VALUES (?, ?)", grams)


def _put_chunks(connection: sqlite3.Connection, file: int, facts: Facts) -> None:
    first = _take_ids(connection, "last_chunk", len(facts.chunks))
    numbered = list(enumerate(facts.chunks, first))
    rows = [(id_, file, start, end) for id_, (start, end, _) in numbered]
    connection.executemany("INSERT INTO chunks VALUES (?, ?, ?, ?)", rows)
    words = [(id_, words) for id_, (_, _, words) in numbered]
    connection.executemany("INSERT INTO chunk_words (rowid, words) VALUES (?, ?)", words)


def _take_ids(connection: sqlite3.Connection, key: str, count: int) -> int:
    """The first of `count` ids that were never used: rows of full-text tables outlive what they belong to."""
    (last,) = connection.execute("SELECT value FROM facts WHERE key = ?", (key,)).fetchone()
    connection.execute("UPDATE facts SET value = ? WHERE key = ?", (last + count, key))
    return int(last) + 1
