import json
from pathlib import Path

import psutil
import pytest

from heron.errors import UnknownModel
from heron.host.models import machine
from heron.host.models.choose import Machine, choose_for, choose_model
from heron.host.models.machine import Speed, free_memory_bytes, measure_speed, usable_cores
from heron.settings import EngineSettings, ModelSettings, Settings

MUCH = 64 << 30
FAST, SLOW = Speed(80e9, 1e12), Speed(80e9, 1e11)


def measure_nothing() -> Speed:
    raise AssertionError("measured where it cannot matter")


def test_two_cores_get_the_half_billion_model_unmeasured() -> None:
    choice = choose_for(Machine(2, MUCH, measure_nothing))
    assert choice.entry.id == "qwen2.5-coder-0.5b-instruct"
    assert choice.reason == "On 2 cores it answers while one types; larger models do not."


@pytest.mark.parametrize(
    ("free_bytes", "model", "reason"),
    [
        (500_000_000, "smollm2-135m-instruct", "Only 0.5 GB of memory are free"),
        (2_000_000_000, "qwen2.5-coder-0.5b-instruct", "With 2.0 GB of free memory it is the largest that fits"),
    ],
)
def test_little_memory_gets_a_small_model(free_bytes: int, model: str, reason: str) -> None:
    choice = choose_for(Machine(16, free_bytes, measure_nothing))
    assert choice.entry.id == model
    assert choice.reason.startswith(reason)


@pytest.mark.parametrize(("speed", "size", "verdict"), [(FAST, "1.5b", "fast enough"), (SLOW, "0.5b", "too slow")])
def test_many_cores_are_measured(speed: Speed, size: str, verdict: str) -> None:
    choice = choose_for(Machine(8, MUCH, lambda: speed))
    assert choice.entry.id == f"qwen2.5-coder-{size}-instruct"
    assert verdict in choice.reason
    assert "on these 8 cores" in choice.reason


def test_a_named_model_is_taken_as_named(tmp_path: Path) -> None:
    choice = choose_model(Settings(model=ModelSettings(name="smollm2-135m-instruct")), tmp_path)
    assert (choice.entry.id, choice.reason) == ("smollm2-135m-instruct", "The settings name it.")
    with pytest.raises(UnknownModel):
        choose_model(Settings(model=ModelSettings(name="gpt-17")), tmp_path)


def test_the_measured_speed_is_remembered_for_as_many_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heron.host.models.choose.free_memory_bytes", lambda: MUCH)
    eight = Settings(engine=EngineSettings(threads=8))
    note = tmp_path / "models" / "speed.json"
    first = choose_model(eight, tmp_path)
    assert json.loads(note.read_text(encoding="utf-8"))["cores"] == 8
    assert choose_model(eight, tmp_path) == first
    note.write_text(json.dumps({"bytes_per_s": 80e9, "operations_per_s": 1e12, "cores": 8}), encoding="utf-8")
    assert choose_model(eight, tmp_path).entry.id == "qwen2.5-coder-1.5b-instruct"
    note.write_text("not json", encoding="utf-8")
    choose_model(eight, tmp_path)
    assert json.loads(note.read_text(encoding="utf-8"))["cores"] == 8


def test_the_calibration_gives_plausible_numbers() -> None:
    speed = measure_speed()
    assert 1e8 < speed.bytes_per_s < 1e13
    assert 1e8 < speed.operations_per_s < 1e15


def test_free_memory_is_within_the_machines() -> None:
    assert 0 < free_memory_bytes() <= psutil.virtual_memory().total


@pytest.mark.parametrize(
    ("limit", "used"),
    [("memory.max", "memory.current"), ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes")],
)
def test_a_control_groups_limit_counts(limit: str, used: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "memory").mkdir()
    (tmp_path / limit).write_text("3000\n")
    (tmp_path / used).write_text("1000\n")
    monkeypatch.setattr(machine, "_CGROUP", tmp_path)
    assert free_memory_bytes() == 2000
    (tmp_path / limit).write_text("max\n")
    assert free_memory_bytes() > 2000


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({}, None),
    ],
)
def test_a_control_groups_cpu_quota_counts(
    files: dict[str, str], cores: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_CGROUP", tmp_path / "none")
    without_quota = usable_cores()
    assert 1 <= without_quota <= (psutil.cpu_count() or 1)
    (tmp_path / "cpu").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(machine, "_CGROUP", tmp_path)
    assert usable_cores() == (cores or without_quota)
