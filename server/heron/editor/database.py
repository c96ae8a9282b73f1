"""A SQLite file that loses nothing while it cannot be written: what was to be written is, once that is over.

A full disk, a folder that is not there, another process that holds the file: each is told once, and service goes on.
"""

import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Any

logger = logging.getLogger(__name__)

Open = Callable[[], sqlite3.Connection]
Tell = Callable[[str], None]
Values = tuple[Any, ...]
Key = tuple[str, ...]
REOPEN_S = 5.0
MAX_UNWRITTEN = 10_000
"""The oldest beyond these are lost."""


class Database:
    """What `open_file` opens, or in its place `stand_in` (in memory) while that fails. Not thread-safe.

    `tell` is told once of each time that begins in which nothing can be kept; `what` begins that sentence.
    """

    def __init__(self, what: str, open_file: Open, stand_in: Open, tell: Tell = logger.warning) -> None:
        self._what, self._open_file, self._tell = what, open_file, tell
        self._unwritten: dict[Key, tuple[str, Values]] = {}
        self._is_failing = False
        self._reopen_at = 0.0
        self._is_file = False
        try:
            self._connection = open_file()
            self._is_file = True
        except (sqlite3.Error, OSError) as error:
            self._fail(error)
            self._connection = stand_in()

    def write(self, key: Key, statement: str, values: Values) -> None:
        """Carry out a statement now or later; one that waits under the same key is replaced by it."""
        self._unwritten.pop(key, None)
        self._unwritten[key] = (statement, values)
        if len(self._unwritten) > MAX_UNWRITTEN:
            del self._unwritten[next(iter(self._unwritten))]
        if not self._is_file:
            _carry_out(self._connection, [(statement, values)])
        self.flush()

    def flush(self) -> None:
        """Write what waits, if that is possible again."""
        try:
            if not self._is_file and not self._reopen():
                return
            _carry_out(self._connection, list(self._unwritten.values()))
        except (sqlite3.Error, OSError) as error:
            self._fail(error)
            return
        self._unwritten.clear()
        if self._is_failing:
            self._is_failing = False
            logger.info("%s can be kept again", self._what)

    def read(self, query: str, values: Values = ()) -> list[sqlite3.Row]:
        """Rows; none, and a line in the log, if the file cannot be read."""
        try:
            return list(self._connection.execute(query, values))
        except sqlite3.Error as error:
            logger.warning("%s cannot be read: %s", self._what, error)
            return []

    def forget(self, begin: Key) -> None:
        """Drop what waits under keys that begin like this."""
        for key in [key for key in self._unwritten if key[: len(begin)] == begin]:
            del self._unwritten[key]

    def close(self) -> None:
        if self._unwritten:
            self._reopen_at = 0.0
            self.flush()
        self._connection.close()

    def _reopen(self) -> bool:
        """Whether the file could be opened after all."""
        if time.monotonic() < self._reopen_at:
            return False
        self._reopen_at = time.monotonic() + REOPEN_S
        opened = self._open_file()
        self._connection.close()
        self._connection, self._is_file = opened, True
        return True

    def _fail(self, error: Exception) -> None:
        logger.log(logging.DEBUG if self._is_failing else logging.WARNING, "%s cannot be kept: %s", self._what, error)
        if not self._is_failing:
            self._is_failing = True
            self._tell(f"{self._what} cannot be kept for now: {error}. They will be once that is mended.")


def _carry_out(connection: sqlite3.Connection, statements: Sequence[tuple[str, Values]]) -> None:
    """All of them or none; one that contradicts what is in the file is left out."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement, values in statements:
            try:
                connection.execute(statement, values)
            except sqlite3.IntegrityError as error:
                logger.warning("A row is not kept: %s", error)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
