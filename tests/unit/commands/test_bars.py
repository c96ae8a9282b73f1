import pytest

from heron.commands.bars import show_download
from heron.host.models.progress import Progress


def test_without_a_terminal_each_step_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with show_download() as report:
        for done in (0, 50, 100):
            report(Progress("downloading", "Fetching tiny from the model hub", done, 100))
        report(Progress("downloading", "Checking tiny", 100, 100))
    captured = capsys.readouterr()
    assert captured.err.split("\n")[:2] == ["Fetching tiny from the model hub", "Checking tiny"]
    assert captured.out == ""


def test_a_terminal_gets_a_bar_with_rate_and_time_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with show_download() as report:
        report(Progress("downloading", "Fetching tiny", 0, 4_000_000))
        report(Progress("downloading", "Fetching tiny", 2_000_000, 4_000_000))
    assert "2.0/4.0 MB" in capsys.readouterr().err
