"""Running with less where a model does not keep running with what the settings ask for, step by step, and back.

Smaller context, then one request at a time, then the CPU in the place of a card; a model that does not run even then
is given up, and editors go on with what needs none. Each step says so in words; `rise` undoes them all.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from heron.errors import DeviceLost, WorkerCrashed, WorkerOutOfMemory
from heron.settings import Settings

_LEAST_WINDOW = 512


@dataclass(frozen=True, slots=True)
class Step:
    """One way to need less. `words` are for the user."""

    words: str
    take: Callable[[Settings], Settings]


def _shrink_context(settings: Settings) -> Settings:
    window = max(_LEAST_WINDOW, settings.engine.context_window // 4)
    return _change(settings, context_window=window, cache_tokens=2 * window, long_prompt="slide")


def _shrink_batch(settings: Settings) -> Settings:
    return _change(settings, max_running=1, cache_tokens=settings.engine.context_window)


def _leave_card(settings: Settings) -> Settings:
    return _change(settings, device="cpu")


def _change(settings: Settings, **values: Any) -> Settings:
    return replace(settings, engine=replace(settings.engine, **values))


SMALL_CONTEXT = Step("with a smaller context window", _shrink_context)
SMALL_BATCH = Step("one request at a time", _shrink_batch)
ON_CPU = Step("on the CPU", _leave_card)


class Ladder:
    """How far below its settings a model runs, and why."""

    def __init__(self, settings: Settings) -> None:
        self._wished = settings
        self._steps: tuple[Step, ...] = ()
        self._cause = ""

    @property
    def settings(self) -> Settings:
        """The settings to run by now."""
        settings = self._wished
        for step in self._steps:
            settings = step.take(settings)
        return settings

    @property
    def is_down(self) -> bool:
        return bool(self._steps)

    @property
    def notice(self) -> str:
        """What the user should know; empty at the top."""
        how = " and ".join(step.words for step in self._steps)
        return f"{self._cause} The model runs {how} until that is over." if how else ""

    def descend(self, reason: WorkerCrashed, on_card: bool, is_last_try: bool = False) -> bool:
        """Take the next step that may help against what ended a worker; whether there was one.

        Of a worker that just keeps ending only the card can be to blame, and only when all else was tried.
        """
        step = next((step for step in _remedies(reason, on_card, is_last_try) if step not in self._steps), None)
        if step is None:
            return False
        self._cause = reason.message
        self._steps = (*self._steps, step)
        return True

    def rise(self) -> None:
        """Back to what the settings ask for."""
        self._steps, self._cause = (), ""


def _remedies(reason: WorkerCrashed, on_card: bool, is_last_try: bool) -> tuple[Step, ...]:
    cpu = (ON_CPU,) if on_card else ()
    if isinstance(reason, WorkerOutOfMemory):
        return (SMALL_CONTEXT, SMALL_BATCH, *cpu)
    return cpu if isinstance(reason, DeviceLost) or is_last_try else ()
