"""Conversations and consents in one SQLite file. A call is a commit: what was saved survives a process that is killed.

Calls take a fraction of a millisecond (write-ahead log, no fsync but at checkpoints), so they are made on the loop.
While the file cannot be written a conversation goes on, and is kept once it can.
"""

import json
import logging
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from heron.editor.database import Database, Tell
from heron.editor.document import Position, Range
from heron.editor.features.chat.conversation import Conversation, Turn, TurnState
from heron.editor.tools.tool import Reference
from heron.wire import Message, ToolCall

logger = logging.getLogger(__name__)

SCHEMA_VERSION = 1
_BUSY_S = 2.0
_SCHEMA = """
CREATE TABLE conversation (
    id TEXT PRIMARY KEY, workspace TEXT NOT NULL, title TEXT NOT NULL,
    created_at REAL NOT NULL, updated_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE turn (
    id TEXT NOT NULL, conversation_id TEXT NOT NULL REFERENCES conversation(id) ON DELETE CASCADE,
    position INTEGER NOT NULL, question TEXT NOT NULL, messages TEXT NOT NULL,
    state TEXT NOT NULL, places TEXT NOT NULL,
    PRIMARY KEY (conversation_id, id)
) WITHOUT ROWID;
CREATE TABLE consent (
    workspace TEXT NOT NULL, tool TEXT NOT NULL, allowed INTEGER NOT NULL, PRIMARY KEY (workspace, tool)
) WITHOUT ROWID;
"""
_LISTED = """
SELECT id, title, created_at, updated_at,
    (SELECT count(*) FROM turn WHERE conversation_id = conversation.id) AS num_turns
FROM conversation
"""
_SAVE_TURN = """
INSERT INTO turn (id, conversation_id, position, question, messages, state, places) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (conversation_id, id)
DO UPDATE SET messages = excluded.messages, state = excluded.state, places = excluded.places
"""


class ChatStore:
    """The conversations of one workspace, and what its user agreed to."""

    def __init__(self, database: Database, workspace: str) -> None:
        self._database = database
        self._workspace = workspace

    def add(self, conversation: Conversation) -> None:
        times = (conversation.created_at, conversation.updated_at)
        values = (conversation.id, self._workspace, conversation.title, *times)
        self._database.write((conversation.id,), "INSERT INTO conversation VALUES (?, ?, ?, ?, ?)", values)

    def save_turn(self, conversation_id: str, position: int, turn: Turn) -> None:
        """Keep a turn as it is now, in the place of what was kept of it."""
        messages, places = _dump(map(asdict, turn.messages)), _dump(map(asdict, turn.references))
        values = (turn.id, conversation_id, position, turn.question, messages, turn.state, places)
        self._database.write((conversation_id, "turn", turn.id), _SAVE_TURN, values)
        moved = "UPDATE conversation SET updated_at = ? WHERE id = ?"
        self._database.write((conversation_id, "time"), moved, (time.time(), conversation_id))

    def rename(self, conversation_id: str, title: str) -> None:
        named = "UPDATE conversation SET title = ? WHERE id = ?"
        self._database.write((conversation_id, "title"), named, (title, conversation_id))

    def delete(self, conversation_id: str) -> None:
        self._database.forget((conversation_id,))
        self._database.write((conversation_id,), "DELETE FROM conversation WHERE id = ?", (conversation_id,))

    def latest(self, limit: int) -> tuple[Conversation, ...]:
        """Conversations without their turns, the one that changed last first."""
        order = "WHERE workspace = ? ORDER BY updated_at DESC, id LIMIT ?"
        rows = self._database.read(f"{_LISTED} {order}", (self._workspace, limit))
        return tuple(_read_listed(row) for row in rows)

    def load(self, conversation_id: str) -> Conversation | None:
        """A whole conversation; None for one that this workspace does not have."""
        rows = self._database.read(f"{_LISTED} WHERE id = ? AND workspace = ?", (conversation_id, self._workspace))
        if not rows:
            return None
        turns = self._database.read(
            "SELECT * FROM turn WHERE conversation_id = ? ORDER BY position, id", (conversation_id,)
        )
        listed = _read_listed(rows[0])
        times = (listed.created_at, listed.updated_at)
        return Conversation(listed.id, listed.title, *times, tuple(map(_read_turn, turns)), len(turns))

    def recall(self, tool: str) -> bool | None:
        """What was decided for a tool in this workspace; None if nothing was."""
        query = "SELECT allowed FROM consent WHERE workspace = ? AND tool = ?"
        rows = self._database.read(query, (self._workspace, tool))
        return bool(rows[0]["allowed"]) if rows else None

    def remember(self, tool: str, allowed: bool) -> None:
        values = (self._workspace, tool, int(allowed))
        self._database.write(("consent", tool), "INSERT OR REPLACE INTO consent VALUES (?, ?, ?)", values)

    def close(self) -> None:
        self._database.close()


def open_store(path: Path, workspace: str, tell: Tell = logger.warning) -> ChatStore:
    """The store at `path`, made if need be. A damaged file is moved aside; one of a newer Heron is left alone.

    While the file cannot be used, conversations live in memory; `tell` is told so.
    """
    opened = Database("Conversations", partial(_open_or_renew, path), partial(_open_stand_in, path), tell)
    return ChatStore(opened, workspace)


def _open_stand_in(path: Path) -> sqlite3.Connection:
    """A store in memory, with what can be read of the file: a full disk has no room for what opening it takes."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    with (
        suppress(sqlite3.Error, OSError),
        closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as file,
    ):
        if file.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION:
            file.backup(connection)
    return _prepare(connection)


def _open_or_renew(path: Path) -> sqlite3.Connection:
    try:
        return _open(path)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        logger.warning("%s is damaged and moved aside: %s", path, error)
        _move_aside(path)
        return _open(path)


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        return _prepare(connection)
    except BaseException:
        connection.close()
        raise


def _prepare(connection: sqlite3.Connection) -> sqlite3.Connection:
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise sqlite3.OperationalError(f"its version is {version}, and this Heron knows {SCHEMA_VERSION}")
    if version < SCHEMA_VERSION:
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
    return connection


def _move_aside(path: Path) -> None:
    path.replace(path.with_name(f"{path.name}.damaged-{time.time_ns()}"))
    for suffix in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).unlink()


def _dump(items: Iterable[dict[str, Any]]) -> str:
    return json.dumps(list(items), ensure_ascii=False)


def _read_listed(row: sqlite3.Row) -> Conversation:
    return Conversation(row["id"], row["title"], row["created_at"], row["updated_at"], num_turns=row["num_turns"])


def _read_turn(row: sqlite3.Row) -> Turn:
    """A turn; one that runs according to the file was cut off by the end of its process."""
    state: TurnState = "interrupted" if row["state"] == "running" else row["state"]
    messages = tuple(_read_message(item) for item in json.loads(row["messages"]))
    places = tuple(_read_place(item) for item in json.loads(row["places"]))
    return Turn(row["id"], row["question"], messages, state, places)


def _read_message(item: dict[str, Any]) -> Message:
    calls = tuple(ToolCall(**call) for call in item["tool_calls"])
    return Message(item["role"], item["content"], calls, item["tool_call_id"])


def _read_place(item: dict[str, Any]) -> Reference:
    start, end = (Position(**item["range"][side]) for side in ("start", "end"))
    return Reference(item["path"], item["uri"], Range(start, end))
