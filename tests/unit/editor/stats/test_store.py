import sqlite3
from pathlib import Path

import pytest

from heron.editor.stats.store import NAME, Record, open_store

RECORD = Record("python", "inline", 12, 34.5)


def test_what_became_of_a_completion_is_read_again(tmp_path: Path) -> None:
    store = open_store(tmp_path / "home" / NAME)
    number = store.add(RECORD)
    store.settle(number, "accepted", 12)
    store.keep(number, 9)
    store.close()
    again = open_store(tmp_path / "home" / NAME)
    assert again.read() == [Record("python", "inline", 12, 34.5, "accepted", 12, 9)]
    assert again.read(since=4e9) == []
    again.close()


@pytest.mark.parametrize("content", [b"not a database" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_file_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / NAME
    path.write_bytes(content)
    store = open_store(path)
    store.add(RECORD)
    store.close()
    assert len(sqlite3.connect(path).execute("SELECT * FROM completion").fetchall()) == 1


def test_a_file_of_another_version_is_begun_anew(tmp_path: Path) -> None:
    base = sqlite3.connect(tmp_path / NAME)
    base.executescript("CREATE TABLE completion (x); INSERT INTO completion VALUES (1); PRAGMA user_version = 99")
    base.close()
    store = open_store(tmp_path / NAME)
    assert store.read() == []
    store.close()


def test_where_nothing_can_be_written_nothing_is_kept_and_nobody_fails(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    store = open_store(tmp_path / NAME)
    store.add(RECORD)
    assert store.read() == [RECORD]
    store.close()


def test_old_rows_are_dropped(tmp_path: Path) -> None:
    store = open_store(tmp_path / NAME)
    store.add(RECORD)
    store.close()
    base = sqlite3.connect(tmp_path / NAME)
    base.execute("UPDATE completion SET at = 1.0")
    base.commit()
    base.close()
    store = open_store(tmp_path / NAME)
    assert store.read() == []
    store.close()


def test_there_is_no_column_for_text(tmp_path: Path) -> None:
    open_store(tmp_path / NAME).close()
    rows = sqlite3.connect(tmp_path / NAME).execute(
        "SELECT name FROM pragma_table_info('completion') WHERE type = 'TEXT'"
    )
    assert {name for (name,) in rows} == {"language", "surface", "outcome"}


def test_what_a_locked_file_does_not_take_is_kept_later(tmp_path: Path) -> None:
    store, other = open_store(tmp_path / "s.db"), sqlite3.connect(tmp_path / "s.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    first = store.add(RECORD)
    store.settle(first, "accepted", 12)
    other.execute("ROLLBACK")
    other.close()
    assert store.read() == []
    second = store.add(RECORD)
    assert [record.outcome for record in store.read()] == ["accepted", "shown"]
    assert second > first
    store.close()
