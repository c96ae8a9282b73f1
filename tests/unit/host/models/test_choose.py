from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from heron.errors import UnknownModel
from heron.host.models import machine
from heron.host.models.catalog import find_model
from heron.host.models.choose import Machine, choose_for, choose_model
from heron.host.models.machine import Speed, cpu_flags, free_memory_bytes, measure_speed, usable_cores
from heron.host.models.store import Store
from heron.settings import EngineSettings, ModelSettings, Settings

MUCH = 64 << 30
SPEED = Speed(bytes_per_s=40e9, core_operations_per_s=100e9)
VNNI, AVX2 = frozenset({"avx2", "avx512vnni"}), frozenset({"avx2"})


def measure_nothing() -> Iterator[Speed]:
    raise AssertionError("measured where it cannot matter")


@pytest.mark.parametrize(
    ("free_bytes", "model", "reason"),
    [
        (500_000_000, "smollm2-135m-instruct", "Only 0.5 GB of memory are free"),
        (3_900_000_000, "qwen2.5-coder-0.5b-instruct", "Of 3.9 GB of free memory it leaves most to others"),
    ],
)
def test_little_memory_gets_a_small_model(free_bytes: int, model: str, reason: str) -> None:
    choice = choose_for(Machine(16, free_bytes, measure_nothing))
    assert choice.entry.id == model
    assert choice.reason.startswith(reason)


def test_a_stored_model_is_kept_with_a_little_less_memory() -> None:
    for free_bytes, size in ((3_100_000_000, "1.5b"), (2_900_000_000, "0.5b")):
        choice = choose_for(Machine(2, free_bytes, lambda: iter([SPEED]), VNNI, has_large=True))
        assert choice.entry.id == f"qwen2.5-coder-{size}-instruct"


@pytest.mark.parametrize(
    ("cores", "flags", "speed", "size", "verdict"),
    [
        (2, VNNI, SPEED, "1.5b", "read about 387 and write 40 tokens a second on these 2 cores, fast enough"),
        (1, VNNI, SPEED, "0.5b", "on this core, too slow"),
        (2, AVX2, SPEED, "0.5b", "read about 135 and"),
        (4, AVX2, SPEED, "1.5b", "on these 4 cores, fast enough"),
        (8, frozenset(), SPEED, "0.5b", "too slow"),
        (16, VNNI, Speed(15e9, 100e9), "0.5b", "write 15 tokens a second on these 16 cores, too slow"),
    ],
)
def test_much_memory_is_measured(cores: int, flags: frozenset[str], speed: Speed, size: str, verdict: str) -> None:
    choice = choose_for(Machine(cores, MUCH, lambda: iter([speed]), flags))
    assert choice.entry.id == f"qwen2.5-coder-{size}-instruct"
    assert verdict in choice.reason


def test_a_named_model_is_taken_as_named(tmp_path: Path) -> None:
    choice = choose_model(Settings(model=ModelSettings(name="smollm2-135m-instruct")), tmp_path)
    assert (choice.entry.id, choice.reason) == ("smollm2-135m-instruct", "The settings name it.")
    with pytest.raises(UnknownModel):
        choose_model(Settings(model=ModelSettings(name="gpt-17")), tmp_path)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Speed]:
    """What is measured one time after the other, on a machine with much memory; taken from the end of the list."""
    speeds: list[Speed] = []
    monkeypatch.setattr("heron.host.models.choose.free_memory_bytes", lambda: MUCH)
    monkeypatch.setattr("heron.host.models.choose.measure_speed", speeds.pop)
    return speeds


def test_a_speed_is_measured_again_only_if_it_was_too_low(tmp_path: Path, measured: list[Speed]) -> None:
    """Each part of the speed counts at its best: a busy first start does not decide for good."""
    eight = Settings(engine=EngineSettings(threads=8))
    for speed, size in ((Speed(1e9, 1e15), "0.5b"), (Speed(1e15, 1e9), "1.5b")):
        measured.append(speed)
        assert choose_model(eight, tmp_path).entry.id == f"qwen2.5-coder-{size}-instruct"
    assert choose_model(eight, tmp_path).entry.id == "qwen2.5-coder-1.5b-instruct"  # nothing more is measured
    for wrong in ("not json", '{"bytes_per_s": 1}', "[]"):
        (tmp_path / "models" / "speed.json").write_text(wrong, encoding="utf-8")
        measured.append(Speed(1.0, 1.0))
        assert choose_model(eight, tmp_path).entry.id == "qwen2.5-coder-0.5b-instruct"


def test_a_model_on_this_machine_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heron.host.models.choose.free_memory_bytes", lambda: 3_500_000_000)
    monkeypatch.setattr("heron.host.models.choose.measure_speed", lambda: Speed(1e15, 1e15))
    assert choose_model(Settings(), tmp_path).entry.id == "qwen2.5-coder-0.5b-instruct"
    path = Store(tmp_path).path_of(find_model("qwen2.5-coder-1.5b-instruct"))
    path.parent.mkdir(parents=True)
    path.touch()
    assert choose_model(Settings(), tmp_path).entry.id == "qwen2.5-coder-1.5b-instruct"


def test_the_calibration_gives_plausible_numbers() -> None:
    speed = measure_speed()
    assert 1e8 < speed.bytes_per_s < 1e13
    assert 1e8 < speed.core_operations_per_s < 1e14


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


@pytest.mark.parametrize(
    ("text", "features"),
    [
        (
            "processor\t: 0\nflags\t\t: fma avx512_vnni\n\nprocessor\t: 1\nflags\t\t: mmx\n",
            {"fma", "avx512vnni"},
        ),
        ("Features\t: fp asimd asimddp\n", {"fp", "asimd", "asimddp"}),
        ("", set()),
    ],
)
def test_flags_are_read_as_linux_tells_them(
    text: str, features: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_CPUINFO", tmp_path / "cpuinfo")
    assert cpu_flags() == set()
    (tmp_path / "cpuinfo").write_text(text)
    assert cpu_flags() == features
