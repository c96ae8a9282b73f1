"""Noticing that a worker hangs: it does not answer, or does not get on with a step."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from heron.errors import HeronError
from heron.host.engine.engine import Engine
from heron.host.recovery.patience import Patience

_NAP_S = 2.0
"""Whoever overslept by so much did not sleep of his own will: the machine did, or this process was stopped."""


@dataclass(frozen=True, slots=True)
class HangLimits:
    """A busy worker is asked for a sign of life each `heartbeat_s`.

    It hangs if it has not answered for `hang_s`, or for `stall_s` in which it took no time of any core; or if a step
    takes `stuck_s` or so many times the longest before.
    """

    heartbeat_s: float = 1.0
    stall_s: float = 3.0
    hang_s: float = 30.0
    stuck_s: float = 20.0
    stuck_factor: float = 20.0


class Watchdog:
    """Watches one life of a worker. `cpu_s` tells the processor time it has taken, None where nobody knows."""

    def __init__(
        self,
        limits: HangLimits,
        is_busy: Callable[[], bool],
        cpu_s: Callable[[], float | None],
        count_beat: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits, self._is_busy, self._cpu_s, self._clock = limits, is_busy, cpu_s, clock
        self._count_beat = count_beat
        self._step_number, self._slept_s, self._overslept_s = -1.0, 0.0, 0.0

    async def wait_hung(self, engine: Engine) -> str:
        """Return when the engine, though it has work, hangs; what it did, as in "did not answer for 30 s"."""
        while True:
            await self._sleep()
            if not self._is_busy():
                continue
            asking = asyncio.ensure_future(engine.metrics())
            try:
                if silence := await self._wait_answer(asking):
                    return silence
                metrics = asking.result()
            except HeronError:  # it has ended, which is noticed elsewhere
                continue
            finally:
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
            self._count_beat()
            if stuck := self._judge_step(metrics):
                return stuck

    async def _sleep(self) -> None:
        """Until the next beat; what was slept beyond that is not held against a step that runs."""
        before = self._clock()
        await asyncio.sleep(self._limits.heartbeat_s)
        overslept_s = self._clock() - before - self._limits.heartbeat_s
        self._overslept_s = overslept_s if overslept_s > _NAP_S else 0.0

    async def _wait_answer(self, asking: "asyncio.Future[dict[str, float]]") -> str:
        """Empty once there is an answer, else how long there was none."""
        silence, stall = Patience(self._limits.hang_s, self._clock), Patience(self._limits.stall_s, self._clock)
        cpu_s = self._cpu_s()
        while silence.spent_s < self._limits.hang_s:
            before_s = silence.spent_s
            if await silence.wait_slice(asking):
                return ""
            stall.spend(silence.spent_s - before_s)
            now_s = self._cpu_s()
            if now_s != cpu_s or now_s is None:
                cpu_s = now_s
                stall.renew()
            elif stall.spent_s >= self._limits.stall_s:
                return f"stood still for {self._limits.stall_s:g} s"
        return f"did not answer for {self._limits.hang_s:g} s"

    def _judge_step(self, metrics: dict[str, float]) -> str:
        """How long the running step has taken, if that is too long; time that was slept through is left out."""
        number = metrics.get("steps_total", 0.0)
        self._slept_s = self._overslept_s + (self._slept_s if number == self._step_number else 0.0)
        self._step_number = number
        step_s = metrics.get("current_step_s", 0.0) - self._slept_s
        longest_s = metrics.get("longest_step_s", 0.0)
        limit_s = max(self._limits.stuck_s, self._limits.stuck_factor * longest_s)
        return f"was stuck in one step for {step_s:.0f} s" if step_s > limit_s else ""
