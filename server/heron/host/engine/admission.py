"""Who may enter an engine that schedules by itself and cannot be told what is urgent: policy in front of it.

As in our own scheduler, completions go before chats and these before background work, and within a priority the client
that was served least comes next. What has entered cannot be pre-empted, so the less urgent leave places free.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from heron.host.engine.fair_share import FairShare
from heron.host.engine.sequence import PRIORITIES
from heron.host.engine.waiting_room import find_crowd
from heron.wire import GenerateRequest

_DURATION_RATE = 0.2
_LEAST_S, _MOST_S = 0.1, 60.0


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """How much enters and waits. A waiting request gains a rank every `aging_s`, so that nothing starves."""

    max_running: int = 4
    max_waiting: int = 128
    max_waiting_each: int = 64
    aging_s: float = 20.0


@dataclass(slots=True, eq=False)
class Ticket:
    """A request on its way; `charge` says what it has cost, in tokens."""

    client: str
    lane: int
    arrival: int
    waits_since: float
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    entered_at: float = 0.0
    cost: float = 0.0

    def charge(self, tokens: float) -> None:
        self.cost += tokens


class Admission:
    """The queue in front of an engine. To be used within one event loop."""

    def __init__(self, limits: AdmissionLimits) -> None:
        self._limits = limits
        self._waiting: list[Ticket] = []
        self._running: list[Ticket] = []
        self._shares = tuple(FairShare() for _ in PRIORITIES)
        self._num_arrived = 0
        self._usual_s = 0.0
        self.num_refused = 0

    @property
    def num_waiting(self) -> int:
        return len(self._waiting)

    @property
    def num_running(self) -> int:
        return len(self._running)

    @asynccontextmanager
    async def admit(self, request: GenerateRequest) -> AsyncGenerator[Ticket, None]:
        """Wait for a place and hold it for the length of a with block. Raises Overloaded when too many wait."""
        self._check_room(request.client)
        ticket = self._queue(request)
        try:
            await ticket.entered.wait()
            yield ticket
        finally:
            self._leave(ticket)

    def _queue(self, request: GenerateRequest) -> Ticket:
        self._num_arrived += 1
        lane = PRIORITIES.index(request.priority)
        ticket = Ticket(request.client, lane, self._num_arrived, time.monotonic())
        self._shares[lane].join(ticket.client)
        self._waiting.append(ticket)
        self._let_in()
        return ticket

    def _leave(self, ticket: Ticket) -> None:
        share = self._shares[ticket.lane]
        share.charge(ticket.client, ticket.cost)
        share.leave(ticket.client)
        if ticket in self._running:
            self._running.remove(ticket)
            self._usual_s += _DURATION_RATE * (time.monotonic() - ticket.entered_at - self._usual_s)
        else:
            self._waiting.remove(ticket)
        self._let_in()

    def _let_in(self) -> None:
        now = time.monotonic()
        for ticket in sorted(self._waiting, key=lambda waiting: self._urgency(waiting, now)):
            if len(self._running) >= self._places(self._rank(ticket, now)):
                return
            self._waiting.remove(ticket)
            self._running.append(ticket)
            ticket.entered_at = now
            ticket.entered.set()

    def _places(self, rank: int) -> int:
        """Places a rank may fill: chats leave one free, background work all but one."""
        most = self._limits.max_running
        return max(1, (most, most - 1, 1)[rank])

    def _rank(self, ticket: Ticket, now: float) -> int:
        aged = int((now - ticket.waits_since) / self._limits.aging_s)
        return max(0, ticket.lane - aged)

    def _urgency(self, ticket: Ticket, now: float) -> tuple[int, int, float, int]:
        served = self._shares[ticket.lane].served(ticket.client)
        return (self._rank(ticket, now), -ticket.lane, served, ticket.arrival)

    def _check_room(self, client: str) -> None:
        limits = self._limits
        if crowd := find_crowd(self._waiting, client, limits.max_waiting, limits.max_waiting_each):
            self.num_refused += 1
            raise crowd.refuse(min(max(self._usual_s / limits.max_running, _LEAST_S), _MOST_S))
