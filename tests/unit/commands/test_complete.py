"""`heron complete`: places in files, and the whole way through a real `heron lsp` with scripted answers."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.app import SCRIPTED_ANSWER
from heron.cli import main
from heron.commands.complete import read_cursor
from heron.editor.document import Position
from heron.errors import InvalidRequest


@pytest.fixture
def scripted_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with fixed answers that leaves soon after its last request."""
    monkeypatch.setenv("HERON_ENGINE", "scripted")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "a.py"
    path.write_bytes("x = '🦩'\r\ny = \r\n".encode())
    return path


def test_line_and_column_count_from_one(source: Path) -> None:
    cursor = read_cursor(f"{source}:1:6")
    assert cursor.position == Position(0, 5)
    assert cursor.document.text[cursor.document.offset(cursor.position)] == "🦩"
    assert cursor.document.language == "python"


def test_the_last_place_is_after_the_last_character(source: Path) -> None:
    assert read_cursor(f"{source}:2:5").position == Position(1, 4)
    assert read_cursor(f"{source}:3:1").position == Position(2, 0)


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("{}", "is not FILE:LINE:COL"),
        ("{}:2", "is not FILE:LINE:COL"),
        ("{}:x:1", "is not FILE:LINE:COL"),
        ("{}:1:-1", "is not FILE:LINE:COL"),
        ("{}:0:1", "there is no line 0"),
        ("{}:4:1", "has 3 lines; there is no line 4"),
        ("{}:2:6", "has columns 1 to 5; 6 is not one"),
        ("{}x:1:1", "cannot be read: No such file"),
    ],
)
def test_a_wrong_place_is_told(source: Path, place: str, sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        read_cursor(place.format(source))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="Is a directory"):
        read_cursor(f"{tmp_path}:1:1")


@given(st.text())
def test_no_place_does_worse_than_a_sentence(place: str) -> None:
    with pytest.raises(InvalidRequest):
        read_cursor(f"{place}\0:1:1")


def test_invalid_utf8_is_said_and_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "latin.py"
    path.write_bytes(b"name = 'M\xfcller'\n")
    assert read_cursor(f"{path}:1:16").document.text == "name = 'M\ufffdller'\n"
    assert "is not valid UTF-8" in capsys.readouterr().err


@pytest.mark.usefixtures("scripted_host")
def test_prints_what_a_client_would_get(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["complete", f"{source}:2:5"]) == 0
    assert capsys.readouterr().out == f"{SCRIPTED_ANSWER}\n"
    assert main(["complete", "--json", f"{source}:2:5"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["completion"], report["model"]) == (SCRIPTED_ANSWER, "scripted")
    assert set(report["times_ms"]) == {"server_start", "model_ready", "completion"}
    assert report["server"]["outcome"] == "shown"
    assert main(["host", "--stop"]) == 0


@pytest.mark.usefixtures("scripted_host")
def test_says_why_nothing_is_offered(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source.write_text("name = value\n")
    assert main(["complete", f"{source}:1:3"]) == 0
    assert main(["host", "--stop"]) == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", f"heron: nothing to offer at {source}:1:3 (inside a word).\n")
