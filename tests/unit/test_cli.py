"""The command line: usage errors, one sentence for our own errors, lazy imports."""

import subprocess
import sys
from pathlib import Path

import pytest

from heron import __version__
from heron.cli import main


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"heron {__version__}\n"


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert all(f"\n    {name} " in shown for name in ("lsp", "host", "complete", "demo", "doctor", "models"))


@pytest.mark.parametrize(
    "words", [[], ["nonsense"], ["complete"], ["host", "--port", "70000"], ["host", "--port", "x"]]
)
def test_wrong_usage_ends_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage: heron" in capsys.readouterr().err


def test_our_errors_are_one_sentence_and_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["complete", "nowhere.py:1:1"]) == 1
    assert capsys.readouterr().err == "heron: nowhere.py cannot be read: No such file or directory.\n"


def test_bad_settings_are_told(heron_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (heron_home / "config.toml").write_text("[engine]\nthreds = 2\n")
    assert main(["host"]) == 1
    assert "Unknown setting 'engine.threds'. Did you mean 'threads'?" in capsys.readouterr().err


def test_stopping_without_a_host_is_fine() -> None:
    assert main(["host", "--stop"]) == 0


def test_runs_as_a_module_from_any_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "heron", "--version"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == f"heron {__version__}\n"


def test_a_reader_that_leaves_is_no_error() -> None:
    pipe = f"{sys.executable} -m heron doctor --json | head -c 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", pipe], capture_output=True, text=True, check=False)
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("given", "meant"),
    [("7000", ("127.0.0.1", 7000)), ("0.0.0.0:7000", ("0.0.0.0", 7000)), ("[::1]:0", ("::1", 0))],
)
def test_a_port_may_have_an_address(given: str, meant: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []
    monkeypatch.setattr("heron.app.run_lsp_tcp", lambda *where: asked.append(where) or 0)
    assert main(["lsp", "--tcp", given]) == 0
    assert asked == [meant]


def test_beyond_loopback_tls_is_needed(heron_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lsp", "--tcp", "0.0.0.0:0"]) == 1
    assert "there is no TLS" in capsys.readouterr().err
