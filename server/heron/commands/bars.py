"""The bar of a download: part done, rate, and time left; only its message where the output is not a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from heron.host.models.progress import Progress as Report


@contextmanager
def show_download() -> Iterator[Callable[[Report], None]]:
    """A function that shows each report on stderr, for as long as the scope lasts."""
    console = Console(stderr=True, soft_wrap=True)
    columns = (
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        yield _Shower(bars, console).show


class _Shower:
    """One bar a message; a new message ends the bar before."""

    def __init__(self, bars: Progress, console: Console) -> None:
        self._bars = bars
        self._console = console
        self._message = ""
        self._task: TaskID | None = None

    def show(self, report: Report) -> None:
        total = report.total_bytes or None
        if report.message != self._message or self._task is None:
            self._begin(report.message, report.done_bytes, total)
        elif report.done_bytes:
            self._bars.update(self._task, completed=report.done_bytes, total=total)

    def _begin(self, message: str, done_bytes: int, total: int | None) -> None:
        if self._task is not None:
            self._bars.stop_task(self._task)
        self._console.print(message)
        self._message = message
        self._task = self._bars.add_task(message, completed=done_bytes, total=total)
