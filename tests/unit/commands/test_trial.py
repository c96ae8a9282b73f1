"""Another model for one command does not disturb the host of the editors."""

import os
from pathlib import Path

import pytest

from heron.cli import main
from heron.commands.trial import use_model
from heron.discovery import ensure_host
from heron.settings import home_folder


@pytest.fixture(autouse=True)
def restored_environment(monkeypatch: pytest.MonkeyPatch, heron_home: Path) -> None:
    """What `use_model` sets is undone after the test."""
    monkeypatch.setenv("HERON_MODEL", "")
    monkeypatch.setenv("HERON_HOME", str(heron_home))


def test_no_model_changes_nothing(heron_home: Path) -> None:
    use_model("")
    assert home_folder() == heron_home
    assert os.environ["HERON_MODEL"] == ""


def test_another_model_gets_a_home_that_shares_the_models(heron_home: Path) -> None:
    (heron_home / "models").mkdir()
    (heron_home / "models" / "here").touch()
    use_model("other")
    trial = home_folder()
    assert os.environ["HERON_MODEL"] == "other"
    assert trial.is_relative_to(heron_home)
    assert (trial / "models" / "here").exists()
    (trial / "artefacts" / "compiled").touch()
    assert (heron_home / "artefacts" / "compiled").exists()
    monkey_home = home_folder()
    os.environ["HERON_HOME"] = str(heron_home)
    use_model("other")
    assert home_folder() == monkey_home


def test_the_running_hosts_own_model_uses_that_host(heron_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERON_ENGINE", "scripted")
    monkeypatch.setenv("HERON_MODEL", "scripted")
    ensure_host(heron_home)
    use_model("scripted")
    assert home_folder() == heron_home
    assert main(["host", "--stop"]) == 0
