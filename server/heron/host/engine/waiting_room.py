"""How many may wait for an engine: all together, and of each client."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from heron.errors import Overloaded


class Waiter(Protocol):
    @property
    def client(self) -> str: ...


W = TypeVar("W", bound=Waiter)


@dataclass(frozen=True, slots=True)
class Crowd(Generic[W]):
    """Why nobody more may wait: those queued already, and how many clients share what serves them."""

    queued: tuple[W, ...]
    sharers: int
    whose: str = ""

    def refuse(self, retry_after_s: float) -> Overloaded:
        """The error for whoever came."""
        return Overloaded(f"{len(self.queued)} requests{self.whose} are waiting already.", retry_after_s=retry_after_s)


def find_crowd(waiting: Sequence[W], client: str, max_waiting: int, max_waiting_each: int) -> Crowd[W] | None:
    """What keeps a client's next request out; None if it may wait."""
    if len(waiting) >= max_waiting:
        return Crowd(tuple(waiting), 1)
    own = tuple(waiter for waiter in waiting if waiter.client == client)
    if len(own) >= max_waiting_each:
        return Crowd(own, len({waiter.client for waiter in waiting}), " of this client")
    return None
