"""`heron doctor`: what it finds, and how it tells what is wrong."""

import json
import socket
from pathlib import Path

import pytest

from heron.cli import main
from heron.commands.checks import find_everything
from heron.commands.finding import Finding


def found(name: str) -> Finding:
    return next(finding for finding in find_everything() if finding.name == name)


def test_a_healthy_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    for name in ("heron", "apache-tvm", "instruction set", "engine threads", "memory", "C compiler", "home", "disk"):
        assert f"\n  {name}" in shown
    assert shown.endswith("Nothing is wrong.\n")


def test_json_has_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["num_problems"] == 0
    sections = {finding["section"] for finding in report["findings"]}
    assert sections == {"settings", "versions", "machine", "storage", "models", "host", "sources"}


def test_wrong_settings_are_a_problem_with_a_remedy(heron_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (heron_home / "config.toml").write_text("[engine]\nthreads = 5000\n")
    assert main(["doctor"]) == 1
    shown = capsys.readouterr().out
    assert "✗ from" in shown
    assert "Setting engine.threads: 5000 is outside 0 to 1024." in shown
    assert "→ Correct or remove that setting" in shown
    assert shown.endswith("1 to mend, marked ✗.\n")


def test_an_unknown_model_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERON_MODEL", "qwen2.5-coder-0.5b-instuct")
    finding = next(finding for finding in find_everything() if finding.problem)
    assert finding.section == "models"
    assert "qwen2.5-coder-0.5b-instruct" in finding.problem


def test_no_compiler_is_no_problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    finding = found("C compiler")
    assert finding.value.startswith("none (not needed")
    assert not finding.problem


def test_the_device_is_told_with_the_reason() -> None:
    value = found("device").value
    assert value.startswith("The model runs on ")
    assert value.endswith("(engine.device: auto)")


def test_the_engine_is_told_with_the_reason_and_how_to_get_the_other() -> None:
    assert found("engine").value == "Heron's own engine: The model is a GGUF file. (engine.backend: auto)"
    package = found("MLC-LLM")
    assert not package.problem
    assert "python -m pip install" in package.value or "cpu:0" in package.value


def test_an_engine_that_cannot_be_is_a_problem(heron_home: Path) -> None:
    (heron_home / "config.toml").write_text('[engine]\nbackend = "mlc"\n')
    engine = found("engine")
    assert "not GGUF files" in engine.problem
    assert "heron models pull mlc:" in engine.remedy


def test_a_named_device_that_is_not_there_is_a_problem(heron_home: Path) -> None:
    (heron_home / "config.toml").write_text('[engine]\ndevice = "cuda:99"\n')
    device = found("device")
    assert device.value == "cuda:99"
    assert "engine.device is cuda:99" in device.problem
    assert device.remedy


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="only Linux has a folder that nobody may write")
def test_a_home_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERON_HOME", "/proc/heron")
    assert found("home").problem.startswith("/proc cannot be written")


def test_a_running_host_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    from heron.discovery import ensure_host
    from heron.settings import home_folder

    monkeypatch.setenv("HERON_ENGINE", "scripted")
    ensure_host(home_folder())
    assert found("running").value.startswith("pid ")
    assert found("health").section == "host"
    assert main(["host", "--stop"]) == 0
    assert found("running").value == "no; the first editor starts it"


def test_a_hub_that_cannot_be_reached_is_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{closed.getsockname()[1]}")
        finding = found("model hub")
    assert finding.value.startswith("not reachable from here directly")
    assert not finding.problem
