"""A file that cannot be written for a while: SQLite's own page limit stands in for a full disk, with the same error."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from heron.editor import database
from heron.editor.database import Database

BIG = "x" * 20_000
PUT = "INSERT INTO note VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET text = excluded.text"


def open_file(path: str | Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, text TEXT NOT NULL)")
    return connection


def notes_in(path: Path) -> dict[str, str]:
    connection = sqlite3.connect(path)
    rows = dict(connection.execute("SELECT name, text FROM note"))
    connection.close()
    return rows


@contextmanager
def full_disk(connection: sqlite3.Connection) -> Iterator[None]:
    """No page can be added to the file."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    yield
    connection.execute("PRAGMA max_page_count = 1000000")


@pytest.fixture
def told() -> list[str]:
    return []


def put(base: Database, name: str, text: str) -> None:
    base.write((name,), PUT, (name, text))


def test_a_full_disk_is_told_once_and_loses_nothing(tmp_path: Path, told: list[str]) -> None:
    connection = open_file(tmp_path / "x.db")
    base = Database("Notes", lambda: connection, partial(open_file, ":memory:"), told.append)
    put(base, "before", "1")
    with full_disk(connection):
        for number in range(5):
            put(base, f"n{number}", BIG)
        put(base, "n0", f"{BIG}!")
        assert notes_in(tmp_path / "x.db") == {"before": "1"}
    assert told == ["Notes cannot be kept for now: database or disk is full. They will be once that is mended."]
    put(base, "after", "2")
    expected = {"before": "1", "after": "2", "n0": f"{BIG}!"} | {f"n{number}": BIG for number in range(1, 5)}
    assert notes_in(tmp_path / "x.db") == expected
    with full_disk(connection):
        put(base, "again", BIG)
    assert len(told) == 2, "what begins anew is told anew"
    base.close()
    assert "again" in notes_in(tmp_path / "x.db"), "closing is a last try"


def test_a_file_that_cannot_be_opened_has_a_stand_in_until_it_can(
    tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "REOPEN_S", 0.0)
    path = tmp_path / "folder" / "x.db"
    base = Database("Notes", partial(open_file, path), partial(open_file, ":memory:"), told.append)
    put(base, "a", "1")
    assert [row[0] for row in base.read("SELECT name FROM note")] == ["a"]
    path.parent.mkdir()
    put(base, "b", "2")
    assert notes_in(path) == {"a": "1", "b": "2"}
    assert [row[0] for row in base.read("SELECT name FROM note")] == ["a", "b"]
    assert len(told) == 1
    base.close()


def test_what_is_dropped_is_not_written_later(tmp_path: Path, told: list[str]) -> None:
    connection = open_file(tmp_path / "x.db")
    base = Database("Notes", lambda: connection, partial(open_file, ":memory:"), told.append)
    with full_disk(connection):
        put(base, "a", BIG)
        put(base, "b", BIG)
        base.forget(("a",))
    base.flush()
    assert set(notes_in(tmp_path / "x.db")) == {"b"}
    base.close()


def test_a_row_that_contradicts_the_file_keeps_no_other_waiting(tmp_path: Path, told: list[str]) -> None:
    base = Database("Notes", partial(open_file, tmp_path / "x.db"), partial(open_file, ":memory:"), told.append)
    base.write(("bad",), "INSERT INTO note VALUES (?, ?)", ("a", None))
    put(base, "b", "2")
    assert notes_in(tmp_path / "x.db") == {"b": "2"}
    assert told == []
    base.close()


def test_what_waits_has_an_end(tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "MAX_UNWRITTEN", 3)
    connection = open_file(tmp_path / "x.db")
    base = Database("Notes", lambda: connection, partial(open_file, ":memory:"), told.append)
    with full_disk(connection):
        for number in range(5):
            put(base, str(number), BIG)
    base.close()
    assert set(notes_in(tmp_path / "x.db")) == {"2", "3", "4"}
