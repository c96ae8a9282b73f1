"""How many drafted tokens to verify: from how often drafts were right and what steps of each size took.

A draft of k tokens, each right with probability p given those before, yields 1 + p + ... + p^k tokens a step on
average; a step of more tokens takes longer. What is maximised is their quotient, tokens a second (Leviathan et al.
2023, "Fast inference from transformers via speculative decoding", section 3). No clock and no chance in here.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from heron.host.engine.ngrams import LONGEST_MATCH

MAX_DRAFT_TOKENS = 15
"""A draft and the token before it make 16 rows: beyond, a step takes as long for each token as a prefill."""
_MEASURED_TOKENS = 32
_SLOPE = 0.06
"""What a further token adds to a step before it is measured, in steps of one token. Low, so that it gets measured."""
_STEP_RATE = 0.2
_FORGET_RATE = 0.005
"""How fast a time not measured again gives way to what it is without measuring: half in 140 steps."""
_VERDICT_RATE = 0.04
_OWN_DECAY = 0.9
_SHARED_WEIGHT = 8.0
"""Verdicts of its own after which a sequence counts as much as all sequences together."""


class StepTimes:
    """Seconds a step takes by its number of tokens: averages of the recent ones, and between them straight lines.

    In doubt it errs towards fast, for a step that is never tried is never measured again: a slow time that others
    belie counts as theirs, and one not met for long is forgotten.
    """

    def __init__(self) -> None:
        self._measured: dict[int, float] = {}
        self._line: list[float] = []

    def observe(self, num_tokens: int, seconds: float) -> None:
        """Take in a step whose tokens all wanted logits; an outlier counts as half as much again."""
        if not 0 < num_tokens <= _MEASURED_TOKENS:
            return
        single = self.of(1)
        for count, known in self._measured.items():
            excess = known - single * (1 + _SLOPE * (count - 1))
            if excess > 0:
                self._measured[count] = known - _FORGET_RATE * excess
        # The first step of a size may be an outlier too: slower than the others say it is believed only bit by bit.
        expected = min(seconds, self.of(num_tokens)) if self._measured else seconds
        known = self._measured.get(num_tokens, expected)
        self._measured[num_tokens] = known + _STEP_RATE * (min(seconds, 1.5 * known) - known)
        self._line = []

    def of(self, num_tokens: int) -> float:
        """Seconds for a step, never more than for a larger one; 1 for one token while nothing was measured."""
        if not self._line:
            self._line = self._draw_line()
        last = len(self._line) - 1
        if num_tokens <= last:
            return self._line[num_tokens]
        return self._line[last] + (num_tokens - last) * (self._line[last] - self._line[1]) / (last - 1)

    def _draw_line(self) -> list[float]:
        """Seconds for 0 to `_MEASURED_TOKENS` tokens."""
        known = self._consistent() or [(1, 1.0)]
        first, seconds = known[0]
        single = seconds / (1 + _SLOPE * (first - 1))
        line = [0.0, single]
        for (left, low), (right, high) in zip([(1, single), *known], known, strict=False):
            line += [low + (high - low) * step / (right - left) for step in range(1, right - left + 1)]
        slope = max(_SLOPE * single, (line[-1] - single) / max(len(line) - 2, 1))
        return line + [line[-1] + slope * step for step in range(1, _MEASURED_TOKENS + 2 - len(line))]

    def _consistent(self) -> list[tuple[int, float]]:
        """What was measured, by size, no time more than that of a larger step."""
        known, least = [], math.inf
        for count, seconds in sorted(self._measured.items(), reverse=True):
            least = min(least, seconds)
            known.append((count, least))
        return known[::-1]


@dataclass(slots=True)
class OwnVerdicts:
    """How often drafts were right in one sequence, the recent ones counting most."""

    right: float = 0.0
    all: float = 0.0

    def add(self, is_right: bool) -> None:
        self.right = self.right * _OWN_DECAY + is_right
        self.all = self.all * _OWN_DECAY + 1


@dataclass(slots=True)
class AcceptanceRates:
    """How often a drafted token was right, over all sequences, by the number of tokens that matched before it."""

    rates: list[float] = field(default_factory=lambda: [_expected_rate(length) for length in range(LONGEST_MATCH + 1)])

    def observe(self, length: int, is_right: bool) -> None:
        length = min(length, LONGEST_MATCH)
        self.rates[length] += _VERDICT_RATE * (is_right - self.rates[length])

    def chances(self, length: int, num_tokens: int, own: OwnVerdicts) -> list[float]:
        """For each token of a draft after a match of `length`, the probability that it and all before it are right."""
        chance, chances = 1.0, []
        for matched in range(length, length + num_tokens):
            rate = self.rates[min(matched, LONGEST_MATCH)]
            chance *= (_SHARED_WEIGHT * rate + own.right) / (_SHARED_WEIGHT + own.all)
            chances.append(chance)
        return chances


def share_drafts(
    chances: Sequence[Sequence[float]], num_tokens: int, room: int, time_of: Callable[[int], float]
) -> list[int]:
    """How many tokens of each draft to verify for the most tokens a second, all sequences of the step together.

    `chances` are by draft and token, falling; without drafts the step has `num_tokens`, with them at most `room` more.
    """
    counts = [0] * len(chances)
    if not any(chances):
        return counts
    ranked = sorted((-chance, place, draft) for draft, row in enumerate(chances) for place, chance in enumerate(row))
    expected, best_rate, best = float(len(chances)), len(chances) / time_of(num_tokens), 0
    for count, (chance, _, _) in enumerate(ranked[: max(room, 0)], start=1):
        expected -= chance
        rate = expected / time_of(num_tokens + count)
        if rate > best_rate:
            best_rate, best = rate, count
    for _, _, draft in ranked[:best]:
        counts[draft] += 1
    return counts


def _expected_rate(length: int) -> float:
    """Before anything was observed."""
    return 0.25 + 0.65 * min(length, 8) / 8
