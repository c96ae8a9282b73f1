"""Another model for one command does not disturb the host of the editors."""

import os
from pathlib import Path

import pytest

from heron.cli import main
from heron.commands.trial import use_model
from heron.discovery import ensure_host
from heron.errors import UnknownModel
from heron.settings import home_folder
from homes import SMALL


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
    use_model(SMALL)
    trial = home_folder()
    assert os.environ["HERON_MODEL"] == SMALL
    assert trial.is_relative_to(heron_home)
    assert (trial / "models" / "here").exists()
    (trial / "artefacts" / "compiled").touch()
    assert (heron_home / "artefacts" / "compiled").exists()
    os.environ["HERON_MODEL"] = ""
    os.environ["HERON_HOME"] = str(heron_home)
    use_model(SMALL)
    assert home_folder() == trial


def test_the_running_hosts_own_model_uses_that_host(heron_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERON_ENGINE", "scripted")
    monkeypatch.setenv("HERON_MODEL", "scripted")
    ensure_host(heron_home)
    use_model("scripted")
    assert home_folder() == heron_home
    assert main(["host", "--stop"]) == 0


def test_an_unknown_model_starts_nothing(heron_home: Path) -> None:
    with pytest.raises(UnknownModel, match=SMALL):
        use_model("smollm2-135m-instuct")
    assert home_folder() == heron_home
    assert not list(heron_home.iterdir())
