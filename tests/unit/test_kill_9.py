"""Conversations, statistics, the index and tokens are written by a process that is killed: what was told is there."""

import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from heron.editor.context.index.index import Index
from heron.editor.features.chat.store import open_store as open_conversations
from heron.editor.stats.store import open_store as open_stats
from heron.editor.workspace.folders import open_workspace
from heron.host.tokens import TokenStore

KILLS = 3
BEGIN = "import itertools, sys\nfrom pathlib import Path\npath = Path(sys.argv[1])\n"
CONVERSATIONS = """
from heron.editor.features.chat.conversation import Conversation, Turn
from heron.editor.features.chat.store import open_store
from heron.wire import Message
store, name = open_store(path / "c.sqlite3", "w"), str(__import__("os").getpid())
store.add(Conversation(name, "title", 1.0, 2.0))
for number in itertools.count():
    turn = Turn(str(number), "q", (Message("user", "q"), Message("assistant", "a" * 5000)), "complete")
    store.save_turn(name, number, turn)
    print(name, number, flush=True)
"""
STATS = """
from heron.editor.stats.store import Record, open_store
store = open_store(path / "s.sqlite3")
for number in itertools.count():
    store.settle(store.add(Record("python", "inline", 12, 3.0)), "accepted", 12)
    print(number, flush=True)
"""
INDEX = """
from heron.editor.context.index.index import Index
from heron.editor.workspace.folders import open_workspace
(path / "src").mkdir(exist_ok=True)
index = Index(path / "i.sqlite3", open_workspace([path / "src"]))
for number in itertools.count():
    (path / "src" / "a.py").write_text("".join(f"def made_{one}(): ...\\n" for one in range(number + 1)))
    index.update(path / "src" / "a.py")
    print(number, flush=True)
"""
TOKENS = """
from heron.host.tokens import TokenStore
store = TokenStore(path / "tokens.json")
for number in itertools.count():
    token, secret = store.create(str(number), ["chat"])
    print(token.id, flush=True)
"""


def write_and_kill(program: str, folder: Path, after: int) -> list[str]:
    """The lines that a writer told before it was killed in the middle of its work."""
    command = [sys.executable, "-c", BEGIN + program, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        told = [writer.stdout.readline().strip() for _ in range(after)]
        writer.kill()
        rest = writer.stdout.read().split("\n")
    assert all(told)
    return told + [line for line in rest[:-1] if line]


def check_conversations(folder: Path, told: list[str]) -> None:
    store = open_conversations(folder / "c.sqlite3", "w")
    kept = store.load(told[0].split()[0])
    assert kept is not None
    assert [turn.id for turn in kept.turns][: len(told)] == [line.split()[1] for line in told]
    assert all(len(turn.messages[1].content) == 5000 for turn in kept.turns)
    store.close()


def check_stats(folder: Path, told: list[str]) -> None:
    store = open_stats(folder / "s.sqlite3")
    assert sum(record.outcome == "accepted" for record in store.read()) >= len(told)
    store.close()


def check_index(folder: Path, told: list[str]) -> None:
    index = Index(folder / "i.sqlite3", open_workspace([folder / "src"]))
    assert index.find_symbols(f"made_{told[-1]}", 1)
    index.close()


def check_tokens(folder: Path, told: list[str]) -> None:
    assert set(told) <= {token.id for token in TokenStore(folder / "tokens.json").list()}


@pytest.mark.parametrize(
    ("program", "check", "file"),
    [
        (CONVERSATIONS, check_conversations, "c.sqlite3"),
        (STATS, check_stats, "s.sqlite3"),
        (INDEX, check_index, "i.sqlite3"),
        (TOKENS, check_tokens, None),
    ],
    ids=["conversations", "statistics", "index", "tokens"],
)
def test_what_was_told_to_be_written_is_there(
    tmp_path: Path, program: str, check: Callable[[Path, list[str]], None], file: str | None
) -> None:
    rng = random.Random(9)
    for _ in range(KILLS):
        check(tmp_path, write_and_kill(program, tmp_path, rng.randrange(3, 40)))
        if file:
            connection = sqlite3.connect(tmp_path / file)
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            connection.close()
