"""What counts as a hang, by a clock that the test moves; that a real worker is killed is in test_pool."""

import asyncio
import itertools
import time
from collections.abc import Callable

import pytest

from heron.host.engine.scripted import ScriptedEngine
from heron.host.recovery.watchdog import HangLimits, Watchdog

LIMITS = HangLimits(heartbeat_s=0.001, stall_s=0.05, hang_s=0.2, stuck_s=1.0, stuck_factor=10.0)


class Mute(ScriptedEngine):
    async def metrics(self) -> dict[str, float]:
        await asyncio.Event().wait()
        return {}


class Stepping(ScriptedEngine):
    """Tells what the test says of its steps."""

    def __init__(self, *told: dict[str, float]) -> None:
        super().__init__()
        self._told = list(told)
        self.all_told = asyncio.Event()

    async def metrics(self) -> dict[str, float]:
        if len(self._told) == 1:
            self.all_told.set()
        return self._told.pop(0) if len(self._told) > 1 else self._told[0]


def watchdog(cpu_s: Callable[[], float | None], clock: Callable[[], float] = time.monotonic) -> Watchdog:
    return Watchdog(LIMITS, lambda: True, cpu_s, lambda: None, clock)


def step(number: int, current_s: float, longest_s: float = 0.0) -> dict[str, float]:
    return {"steps_total": number, "current_step_s": current_s, "longest_step_s": longest_s}


@pytest.mark.parametrize(
    ("cpu_s", "told"),
    [(lambda: 7.0, "stood still for 0.05 s"), (time.monotonic, "did not answer for 0.2 s"), (lambda: None, "0.2 s")],
    ids=["standing still", "busy", "unknown"],
)
async def test_silence_without_work_is_noticed_sooner(cpu_s: Callable[[], float | None], told: str) -> None:
    async with asyncio.timeout(20):
        assert told in await watchdog(cpu_s).wait_hung(Mute())


async def test_one_that_takes_a_core_now_and_then_does_not_stand_still() -> None:
    readings = (number // 2 for number in itertools.count())
    limits = HangLimits(heartbeat_s=0.001, stall_s=0.6, hang_s=1.2)
    watching = Watchdog(limits, lambda: True, lambda: float(next(readings)), lambda: None)
    async with asyncio.timeout(20):
        assert await watching.wait_hung(Mute()) == "did not answer for 1.2 s"


async def test_nobody_is_asked_while_nothing_runs() -> None:
    watching = asyncio.ensure_future(Watchdog(LIMITS, lambda: False, lambda: 0.0, lambda: None).wait_hung(Mute()))
    done, _ = await asyncio.wait([watching], timeout=0.3)
    assert not done
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_a_long_step_is_a_hang_but_not_where_steps_are_long() -> None:
    engine = Stepping(step(1, 5.0, longest_s=1.0), step(1, 9.9, longest_s=1.0), step(1, 10.1, longest_s=1.0))
    async with asyncio.timeout(20):
        assert await watchdog(lambda: None).wait_hung(engine) == "was stuck in one step for 10 s"


async def test_a_step_that_the_machine_slept_through_is_none() -> None:
    sleeps = iter([0.0, 3600.0])
    now_s = 0.0

    def clock() -> float:
        nonlocal now_s
        now_s += next(sleeps, 0.0)
        return now_s

    engine = Stepping(step(1, 3600.5), step(1, 3600.9), step(1, 3601.5))
    async with asyncio.timeout(20):
        assert await watchdog(lambda: None, clock).wait_hung(engine) == "was stuck in one step for 2 s"
