"""`heron demo` over the bundled samples, with a real server and scripted answers."""

import re
from pathlib import Path

import pytest

from heron.app import SCRIPTED_ANSWER
from heron.cli import main
from heron.samples.holes import read_holes


def test_samples_are_whole_documents_in_three_languages() -> None:
    holes = read_holes()
    assert {hole.path.suffix for hole in holes} == {".py", ".ts", ".go"}
    for hole in holes:
        assert hole.before + hole.original + hole.after == hole.path.read_text(encoding="utf-8")


def test_the_python_samples_run() -> None:
    for path in {hole.path for hole in read_holes() if hole.path.suffix == ".py"}:
        compile(path.read_text(encoding="utf-8"), path.name, "exec")


def test_shows_every_hole_and_what_to_do_next(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HERON_ENGINE", "scripted")
    picture = tmp_path / "demo.svg"
    assert main(["demo", "--svg", str(picture)]) == 0
    assert main(["host", "--stop"]) == 0
    shown = capsys.readouterr().out
    without_times = re.sub(r"[\d.]+ m?s\b", "", shown)
    assert without_times.count(SCRIPTED_ANSWER) == len(read_holes()) + 1  # and the answer to the question
    for text in ("cart.py", "router.ts", "cache.go", "start the server", "first completion", "heron chat", "doctor"):
        assert text in shown
    svg = picture.read_text(encoding="utf-8")
    assert svg.startswith("<svg")
    assert "font-face" not in svg
