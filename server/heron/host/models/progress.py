"""How far a long step has come: what fetching and compiling report, and what progress bars and health show."""

from collections.abc import Callable
from dataclasses import dataclass

from heron.wire import LoadState


@dataclass(frozen=True, slots=True)
class Progress:
    """One report. `total_bytes` is 0 where it is not known."""

    state: LoadState
    message: str
    done_bytes: int = 0
    total_bytes: int = 0

    @property
    def fraction(self) -> float | None:
        """Part done, 0 to 1; None if unknown."""
        return min(1.0, self.done_bytes / self.total_bytes) if self.total_bytes > 0 else None


Report = Callable[[Progress], None]
