"""Progress of a model that comes: one bar (or one line) a stage, and how long each took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from heron.wire import Health, LoadState

_NAMES: dict[LoadState, str] = {
    "starting": "start the host",
    "downloading": "fetch the model",
    "compiling": "compile for this CPU",
    "loading": "load the weights",
}


@dataclass(slots=True)
class Stages:
    """Takes in states as they come; `seconds` has each finished stage by its name, in order."""

    console: Console
    bars: Progress
    seconds: dict[str, float] = field(default_factory=dict)
    _name: str = ""
    _bar: TaskID = TaskID(0)
    _since: float = field(default_factory=time.perf_counter)

    def report(self, health: Health) -> None:
        """Show a state; entering a new one ends the stage before it."""
        name = _NAMES.get(health.state, "")
        if name != self._name:
            self.finish()
            self._begin(name)
        if name:
            self.bars.update(self._bar, completed=health.fraction, total=1.0 if health.fraction is not None else None)
            self.bars.update(self._bar, note=health.message)

    def finish(self) -> None:
        """End the present stage, if any."""
        if not self._name:
            return
        seconds = time.perf_counter() - self._since
        self.seconds[self._name] = self.seconds.get(self._name, 0.0) + seconds
        self.bars.update(self._bar, completed=1.0, total=1.0)
        self.bars.stop_task(self._bar)
        if not _is_live(self.console):
            self.console.print(f"{self._name}: {seconds:.1f} s")
        self._name = ""

    def _begin(self, name: str) -> None:
        self._name, self._since = name, time.perf_counter()
        if name:
            self._bar = self.bars.add_task(name, total=None, note="")


@contextmanager
def show_stages(console: Console) -> Iterator[Stages]:
    """Bars on a terminal while the scope lasts; one line a finished stage elsewhere."""
    columns = (
        TextColumn("{task.description:<22}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=console, disable=not _is_live(console)) as bars:
        stages = Stages(console, bars)
        try:
            yield stages
        finally:
            stages.finish()


def _is_live(console: Console) -> bool:
    """Whether bars may move: a file or a picture would keep every frame."""
    return console.is_terminal and not console.record
