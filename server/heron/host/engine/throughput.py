"""How fast the engine works off what is asked, measured, to tell those it has no room for when to come back."""

from collections.abc import Iterable
from typing import Protocol

DECODE_COST = 4.0
"""What a token of an answer takes, in tokens of a prompt: steps of one are at the memory's speed."""
_STEP_DECAY = 0.98
"""How much of the past a step leaves: half of it after 35 steps."""
_ANSWER_RATE = 0.1
_EXPECTED_ANSWER = 64.0
_UNKNOWN_S = 1.0
_LEAST_S, _MOST_S = 0.1, 60.0


class Ask(Protocol):
    """A queued sequence, as far as its cost goes."""

    @property
    def num_pending(self) -> int: ...

    @property
    def num_answered(self) -> int: ...

    max_tokens: int


class Throughput:
    """Cost served a second, averaged over the recent steps, and how long answers are. No clock in here."""

    def __init__(self) -> None:
        self._cost = 0.0
        self._seconds = 0.0
        self._answer_tokens = _EXPECTED_ANSWER

    def observe_step(self, cost: float, seconds: float) -> None:
        self._cost = self._cost * _STEP_DECAY + cost
        self._seconds = self._seconds * _STEP_DECAY + seconds

    def observe_answer(self, num_tokens: int) -> None:
        self._answer_tokens += _ANSWER_RATE * (num_tokens - self._answer_tokens)

    def seconds_for_one(self, queued: Iterable[Ask], sharers: int = 1) -> float:
        """Seconds until one of these is worked off, the machine's time being shared by so many; 0.1 to 60."""
        costs = [self._cost_of(ask) for ask in queued]
        if not costs or not self._cost or not self._seconds:
            return _UNKNOWN_S
        seconds = sum(costs) / len(costs) * sharers * self._seconds / self._cost
        return min(max(seconds, _LEAST_S), _MOST_S)

    def _cost_of(self, ask: Ask) -> float:
        left = min(ask.max_tokens, max(self._answer_tokens, ask.num_answered + 1.0)) - ask.num_answered
        return ask.num_pending + DECODE_COST * left
