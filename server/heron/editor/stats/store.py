"""What became of completions, in one SQLite file of the user's. Numbers only: no text of any document is in it."""

import logging
import random
import sqlite3
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from heron.editor.database import Database

logger = logging.getLogger(__name__)

Surface = Literal["inline", "popup"]
Outcome = Literal["shown", "accepted", "partly", "rejected", "typed"]
"""shown: nothing is known yet. typed: the user typed what was shown."""
NAME = "stats.sqlite3"
SCHEMA_VERSION = 1
KEEP_S = 180 * 24 * 3600.0
_BUSY_S = 1.0
_WRITE_BUSY_MS = 20
"""Writes come from the loop that answers keys: beside a locked file a row comes later rather than a key."""
_SCHEMA = """
CREATE TABLE completion (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, language TEXT NOT NULL, surface TEXT NOT NULL, chars INTEGER NOT NULL,
    latency_ms REAL NOT NULL, outcome TEXT NOT NULL DEFAULT 'shown', accepted_chars INTEGER NOT NULL DEFAULT 0,
    kept_chars INTEGER
)
"""


@dataclass(frozen=True, slots=True)
class Record:
    """One completion that was shown. `kept_chars` are those of the accepted that still stand after 30 s, if known."""

    language: str
    surface: Surface
    chars: int
    latency_ms: float
    outcome: Outcome = "shown"
    accepted_chars: int = 0
    kept_chars: int | None = None


class StatsStore:
    """Rows of completions. What cannot be written is later, never raised: nobody's typing waits for statistics."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, record: Record) -> int:
        """Keep a completion that is shown; its number."""
        number = _draw_number()
        row = (number, time.time(), record.language, record.surface, record.chars, record.latency_ms)
        sql = "INSERT INTO completion (id, at, language, surface, chars, latency_ms) VALUES (?, ?, ?, ?, ?, ?)"
        self._database.write((str(number),), sql, row)
        return number

    def settle(self, number: int, outcome: Outcome, accepted_chars: int) -> None:
        """What became of a completion; a later call replaces an earlier one."""
        sql = "UPDATE completion SET outcome = ?, accepted_chars = ? WHERE id = ?"
        self._database.write((str(number), "outcome"), sql, (outcome, accepted_chars, number))

    def keep(self, number: int, kept_chars: int) -> None:
        """How much of an accepted completion still stands."""
        sql = "UPDATE completion SET kept_chars = ? WHERE id = ?"
        self._database.write((str(number), "kept"), sql, (kept_chars, number))

    def read(self, since: float = 0.0) -> list[Record]:
        """All completions from a time on, in seconds since 1970, in their order."""
        columns = "language, surface, chars, latency_ms, outcome, accepted_chars, kept_chars"
        rows = self._database.read(f"SELECT {columns} FROM completion WHERE at >= ? ORDER BY id", (since,))
        return [Record(*row) for row in rows]

    def close(self) -> None:
        self._database.close()


def open_store(path: Path) -> StatsStore:
    """The store in a file, made if need be; a damaged one is begun anew, while it cannot be written it is in memory."""
    return StatsStore(Database("Statistics", partial(_open, path), partial(_connect, ":memory:")))


def _draw_number() -> int:
    """A number for a row that no other process draws, larger than all earlier ones."""
    return time.time_ns() // 1000 << 10 | random.getrandbits(10)


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _connect(str(path))
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        logger.warning("The statistics are damaged (%s) and begun anew", error)
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return _connect(str(path))


def _connect(name: str) -> sqlite3.Connection:
    connection = sqlite3.connect(name, timeout=_BUSY_S, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        _migrate(connection)
        connection.execute("DELETE FROM completion WHERE at < ?", (time.time() - KEEP_S,))
        connection.execute(f"PRAGMA busy_timeout = {_WRITE_BUSY_MS}")
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    """Make the table; one of another version is begun anew, for old figures are worth no migration."""
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
        connection.execute("DROP TABLE IF EXISTS completion")
        connection.execute(_SCHEMA)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")
