import signal
from pathlib import Path

import pytest

from heron.errors import DeviceLost, WorkerCrashed, WorkerKilled, WorkerOutOfMemory
from heron.host.engine.pipe import DEVICE_LOST_STATUS
from heron.host.recovery import endings
from heron.host.recovery.endings import count_oom_kills, explain_end, is_short_of_memory


@pytest.fixture(autouse=True)
def _no_pressure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else this machine does."""
    monkeypatch.setattr(endings, "is_short_of_memory", lambda: False)


@pytest.mark.parametrize(
    ("status", "kind", "told"),
    [
        (3, WorkerCrashed, "ended with status 3"),
        (-signal.SIGSEGV, WorkerCrashed, "killed by SIGSEGV"),
        (-60, WorkerCrashed, "killed by signal 60"),
        (-signal.SIGKILL, WorkerKilled, "killed by SIGKILL"),
        (DEVICE_LOST_STATUS, DeviceLost, "lost its card"),
    ],
)
def test_each_end_has_its_error(status: int, kind: type[WorkerCrashed], told: str) -> None:
    error = explain_end(status, count_oom_kills())
    assert type(error) is kind
    assert told in error.message


def test_a_kill_while_memory_ran_out_is_told_as_such() -> None:
    error = explain_end(-signal.SIGKILL, count_oom_kills() - 1)
    assert type(error) is WorkerOutOfMemory
    assert error.category == "resource"
    assert "memory had run out" in error.message
    assert type(explain_end(-signal.SIGTERM, count_oom_kills() - 1)) is WorkerCrashed, "only the kernel's own signal"


@pytest.mark.parametrize(
    ("text", "count"), [("nr_free_pages 5\noom_kill 12\n", 12), ("nr_free_pages 5\n", 0), ("oom_kill\n", 0), ("", 0)]
)
def test_counts_what_linux_tells(tmp_path: Path, text: str, count: int) -> None:
    path = tmp_path / "vmstat"
    path.write_text(text)
    assert count_oom_kills(path) == count


@pytest.mark.parametrize(
    ("full", "is_short"),
    [("full avg10=12.50 avg60=1.0", True), ("full avg10=0.00 avg60=99.0", False), ("full", False), ("", False)],
)
def test_reads_the_pressure(tmp_path: Path, full: str, is_short: bool) -> None:
    path = tmp_path / "memory"
    path.write_text(f"some avg10=90.00 avg60=90.00 avg300=0.00 total=1\n{full}\n")
    assert is_short_of_memory(path) == is_short


def test_a_system_that_tells_nothing_is_taken_to_have_enough(tmp_path: Path) -> None:
    assert count_oom_kills(tmp_path / "no") == 0
    assert not is_short_of_memory(tmp_path / "no")
