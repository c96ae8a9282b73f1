import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from heron.editor.document import Position, Range
from heron.editor.features.chat.conversation import Conversation, Turn
from heron.editor.features.chat.store import SCHEMA_VERSION, open_store
from heron.editor.tools.tool import Reference
from heron.wire import Message, ToolCall

PLACE = Reference("a.py", "file:///a.py", Range(Position(1, 0), Position(2, 3)))
TURN = Turn(
    "t1",
    "q é",
    (
        Message("user", "q é"),
        Message("assistant", "", (ToolCall("1", "grep", "{}"),)),
        Message("tool", "found", tool_call_id="1"),
        Message("assistant", "a"),
    ),
    "complete",
    (PLACE,),
)


def conversation(name: str = "c", updated_at: float = 2.0) -> Conversation:
    return Conversation(name, "title", 1.0, updated_at)


def test_what_is_kept_comes_back_the_same(tmp_path: Path) -> None:
    store = open_store(tmp_path / "x.sqlite3", "w")
    store.add(conversation())
    store.save_turn("c", 0, Turn("t1", "q é"))
    store.save_turn("c", 0, TURN)
    store.close()
    found = open_store(tmp_path / "x.sqlite3", "w").load("c")
    assert found is not None
    assert (found.turns, found.num_turns, found.title) == ((TURN,), 1, "title")


def test_lists_are_of_one_workspace_the_latest_first(tmp_path: Path) -> None:
    store = open_store(tmp_path / "x.sqlite3", "w")
    for name in ("a", "b"):
        store.add(conversation(name))
    store.save_turn("a", 0, TURN)
    assert [(found.id, found.num_turns) for found in store.latest(5)] == [("a", 1), ("b", 0)]
    assert [found.id for found in store.latest(1)] == ["a"]
    other = open_store(tmp_path / "x.sqlite3", "elsewhere")
    assert other.latest(5) == ()
    assert other.load("a") is None


def test_two_editors_in_one_conversation_overwrite_nothing(tmp_path: Path) -> None:
    stores = [open_store(tmp_path / "x.sqlite3", "w") for _ in range(2)]
    stores[0].add(conversation())
    for number, store in enumerate(stores):
        store.save_turn("c", 0, replace(TURN, id=f"t{number}"))
    found = stores[0].load("c")
    assert found is not None
    assert [turn.id for turn in found.turns] == ["t0", "t1"]


def test_renaming_and_deleting(tmp_path: Path) -> None:
    store = open_store(tmp_path / "x.sqlite3", "w")
    store.add(conversation())
    store.save_turn("c", 0, TURN)
    store.rename("c", "new")
    assert [found.title for found in store.latest(5)] == ["new"]
    store.delete("c")
    assert store.load("c") is None
    store.add(conversation())
    assert store.load("c") == conversation()


def test_consents_are_remembered_by_workspace(tmp_path: Path) -> None:
    store = open_store(tmp_path / "x.sqlite3", "w")
    assert store.recall("run") is None
    store.remember("run", True)
    store.remember("run", False)
    assert open_store(tmp_path / "x.sqlite3", "w").recall("run") is False
    assert open_store(tmp_path / "x.sqlite3", "elsewhere").recall("run") is None


@pytest.mark.parametrize("content", [b"not a database, just text " * 50, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_file_is_moved_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.sqlite3"
    path.write_bytes(content)
    store = open_store(path, "w")
    store.add(conversation())
    assert open_store(path, "w").load("c") == conversation()
    (aside,) = tmp_path.glob("*.damaged-*")
    assert aside.read_bytes() == content


def test_damage_inside_is_found_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite3"
    store = open_store(path, "w")
    store.add(conversation())
    for number in range(200):
        store.save_turn("c", number, replace(TURN, id=f"t{number}"))
    store.close()
    data = bytearray(path.read_bytes())
    data[4096 * 3 : 4096 * 6] = b"\xaa" * 4096 * 3
    path.write_bytes(data)
    assert open_store(path, "w").latest(5) == ()
    assert len(list(tmp_path.glob("*.damaged-*"))) == 1


def test_a_newer_file_is_left_alone_and_the_chat_still_works(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    store = open_store(path, "w")
    store.add(conversation())
    assert store.load("c") == conversation()
    assert not list(tmp_path.glob("*.damaged-*"))


def test_a_folder_that_cannot_be_made_keeps_conversations_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = open_store(tmp_path / "file" / "x.sqlite3", "w")
    store.add(conversation())
    assert store.load("c") == conversation()


def test_a_conversation_goes_on_beside_a_full_disk_and_is_kept_later(tmp_path: Path) -> None:
    told: list[str] = []
    store = open_store(tmp_path / "x.sqlite3", "w", told.append)
    connection = store._database._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    store.add(conversation())
    for number in range(5):
        store.save_turn("c", number, replace(TURN, id=f"t{number}", question="q" * 5000))
    assert len(told) == 1
    assert "Conversations cannot be kept for now: database or disk is full" in told[0]
    connection.execute("PRAGMA max_page_count = 1000000")
    store.close()
    found = open_store(tmp_path / "x.sqlite3", "w").load("c")
    assert found is not None
    assert [turn.id for turn in found.turns] == [f"t{number}" for number in range(5)]


def test_what_is_kept_can_be_read_where_the_file_cannot_be_opened_for_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.sqlite3"
    store = open_store(path, "w")
    store.add(conversation())
    store.close()

    def refuse(path: Path) -> sqlite3.Connection:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("heron.editor.features.chat.store._open", refuse)
        store = open_store(path, "w", lambda told: None)
        assert store.load("c") == conversation()
        store.save_turn("c", 0, TURN)
    store.close()
    found = open_store(path, "w").load("c")
    assert found is not None
    assert found.turns == (TURN,)


def test_only_the_user_may_read_the_file(tmp_path: Path) -> None:
    open_store(tmp_path / "x.sqlite3", "w")
    assert (tmp_path / "x.sqlite3").stat().st_mode & 0o077 == 0


def test_what_was_saved_survives_kill_9(tmp_path: Path) -> None:
    """The turn that ran is there as far as it was saved, and marked."""
    code = f"""
import sys
sys.path[:0] = {sys.path!r}
from pathlib import Path
from heron.editor.features.chat.conversation import Conversation, Turn
from heron.editor.features.chat.store import open_store
from heron.wire import Message
store = open_store(Path({str(tmp_path / "x.sqlite3")!r}), "w")
store.add(Conversation("c", "title", 1.0, 2.0))
store.save_turn("c", 0, Turn("t", "q", (Message("user", "q"), Message("assistant", "half an ans")), "running"))
print("saved", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"saved\n"
        os.kill(child.pid, signal.SIGKILL)
    found = open_store(tmp_path / "x.sqlite3", "w").load("c")
    assert found is not None
    assert [(turn.state, turn.answer) for turn in found.turns] == [("interrupted", "half an ans")]
