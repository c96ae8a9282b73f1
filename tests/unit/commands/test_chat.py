"""`heron chat` with a real server and scripted answers."""

import io
import json
from pathlib import Path

import pytest

from heron.app import SCRIPTED_ANSWER
from heron.cli import main


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERON_ENGINE", "scripted")


def test_one_question(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.py").write_text("def first_name():\n    pass\n")
    arguments = ["chat", "--folder", str(tmp_path), "-p", "Where is `first_name`?"]
    assert main(arguments) == 0
    assert capsys.readouterr().out == f"{SCRIPTED_ANSWER}\n"
    assert main([*arguments, "--json", "--file", str(tmp_path / "a.py")]) == 0
    assert main(["host", "--stop"]) == 0
    turn = json.loads(capsys.readouterr().out)
    assert (turn["answer"], turn["references"][0]["path"]) == (SCRIPTED_ANSWER, "a.py")


def test_a_talk_in_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ["/help", "", "/list", "What is it?", "/list", "/new", "/resume nope", "/quit", "never asked"]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines)))
    assert main(["chat", "--folder", str(tmp_path)]) == 0
    assert main(["host", "--stop"]) == 0
    shown = capsys.readouterr().out
    assert "/resume ID" in shown
    assert "There is none yet." in shown
    assert shown.count(f"› {SCRIPTED_ANSWER}\n") == 1  # an identifier may hold the same digits
    assert "1 turns  What is it?" in shown
    assert "There is no conversation 'nope'" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--json"], "--json goes with -p"),
        (["--folder", "/no/such/folder"], "is not a folder"),
    ],
)
def test_wrong_use(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chat", *arguments]) == 1
    assert said in capsys.readouterr().err
