"""Threads follow the cores that are free: left out when they wait for one, tried again after a while."""

from pathlib import Path

import pytest

from heron.host.engine.threads import ThreadGovernor, read_waited_s
from heron.host.models.machine import measure_free_cores


class Machine:
    """A governor on a machine of whose cores so many are free; time passes by steps of 0.1 s."""

    def __init__(self, most: int, free: float) -> None:
        self.now = 0.0
        self.free = free
        self.governor = ThreadGovernor(most, most, lambda: self.now)

    def run(self, seconds: float) -> list[int]:
        used = []
        for _ in range(round(seconds / 0.1)):
            waiting = max(0.0, self.governor.threads - self.free)
            self.governor.observe(0.1, 0.1 * waiting)
            self.now += 0.1
            used.append(self.governor.threads)
        return used


def test_all_threads_run_while_nobody_needs_their_cores() -> None:
    assert set(Machine(4, 4.0).run(30)) == {4}


def test_a_thread_that_waits_for_its_core_is_left_out() -> None:
    machine = Machine(2, 1.3)
    assert machine.run(1)[-1] == 1
    machine.free = 0.2
    assert set(machine.run(3)) == {1}


def test_one_moment_of_crowding_costs_no_thread() -> None:
    machine = Machine(2, 2.0)
    for free in (1.0, 2.0) * 5:
        machine.free = free
        assert machine.run(0.1) == [2]


def test_it_comes_back_when_there_is_a_core_again() -> None:
    machine = Machine(2, 1.0)
    machine.run(3)
    machine.free = 2.0
    assert machine.run(6)[-1] == 2


def test_it_is_tried_less_and_less_often_while_there_is_none() -> None:
    machine = Machine(2, 1.0)
    tries = [number for number in machine.run(200) if number == 2]
    assert 4 <= len(tries) <= 8


def test_many_busy_cores_cost_as_many_threads() -> None:
    assert Machine(8, 3.0).run(1)[-1] == 3


def test_the_waiting_of_all_threads_is_summed(tmp_path: Path) -> None:
    for name, text in {"1": "5 1000000000 3", "2": "7 500000000 2"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "schedstat").write_text(text)
    assert read_waited_s(tmp_path) == 1.5
    assert read_waited_s(tmp_path / "none") == 0.0


@pytest.mark.parametrize("most", [1, 2])
def test_free_cores_are_measured(most: int) -> None:
    assert 0.0 < measure_free_cores(most) <= most
