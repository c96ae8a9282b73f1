"""Speculative decoding without a second model: guesses at the next tokens, which the model then verifies in one step.

A guess changes no answer. Each row of a verify step is sampled as it would be alone, and the step's tokens count up to
the first that differs from the draft. For a draft that is certain of its token this is rejection sampling (Leviathan
et al. 2023, appendix A): a token is kept with the probability the model gives it, another is drawn from the rest.
"""

from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Protocol

from heron.host.engine.draft_length import AcceptanceRates, StepTimes, share_drafts
from heron.host.engine.lookup import Lookup
from heron.host.engine.ngrams import RecentText
from heron.host.engine.sequence import Sequence

_RECENT_TOKENS = 16384
_MOST_ENDED = 64
"""Texts kept to be remembered; where nobody ever drafts they would pile up."""
_LEAD_TOKENS = 8
"""Tokens before an answer that are remembered with it, so that its first tokens can be found."""


@dataclass(frozen=True, slots=True)
class StepSpace:
    """A step before drafts: how many tokens it has, and how many drafted ones may be added."""

    num_tokens: int
    room: int


class Drafter(Protocol):
    """Guesses tokens and learns from what came. Draft nothing and nothing is lost."""

    def draft(self, sequences: Items[Sequence], space: StepSpace) -> list[tuple[int, ...]]:
        """Guesses for sequences that decode in the next step, in all at most `space.room`."""
        ...

    def learn(self, sequence: Sequence, token_ids: list[int]) -> None:
        """`token_ids` came for a sequence in this step, one that ends the answer included."""
        ...

    def observe_step(self, num_tokens: int, seconds: float) -> None:
        """A step of so many tokens, logits of all wanted, took so long."""
        ...

    def remember(self, sequence: Sequence) -> None:
        """A sequence has ended."""
        ...


class LookupDrafter:
    """Drafts what followed the last tokens where they occurred before: in the sequence's own text, or in recent text.

    Drafts are as long as pays by what was accepted and what steps took lately.
    """

    def __init__(self) -> None:
        self.rates = AcceptanceRates()
        self.step_times = StepTimes()
        self._recent = RecentText(_RECENT_TOKENS)
        self._ended: list[list[int]] = []
        """Texts to be remembered once somebody drafts: never while a first token is waited for."""

    def draft(self, sequences: Items[Sequence], space: StepSpace) -> list[tuple[int, ...]]:
        while self._ended:
            self._recent.add(self._ended.pop(0))
        proposals = [self._lookup(sequence).propose(sequence.token_ids, self._recent) for sequence in sequences]
        chances = [
            self.rates.chances(match.length, len(match.continuation), self._lookup(sequence).verdicts) if match else []
            for sequence, match in zip(sequences, proposals, strict=True)
        ]
        counts = share_drafts(chances, space.num_tokens, space.room, self.step_times.of)
        return [match.continuation[:count] if match else () for match, count in zip(proposals, counts, strict=True)]

    def learn(self, sequence: Sequence, token_ids: list[int]) -> None:
        if sequence.lookup is not None:
            sequence.lookup.judge(token_ids, self.rates)

    def observe_step(self, num_tokens: int, seconds: float) -> None:
        self.step_times.observe(num_tokens, seconds)

    def remember(self, sequence: Sequence) -> None:
        """Keep the answer, and of the prompt what was not in the cache: that was remembered when it came first."""
        start = min(sequence.num_cached or 0, max(sequence.num_prompt - _LEAD_TOKENS, 0))
        self._ended.append(sequence.token_ids[start:])
        del self._ended[:-_MOST_ENDED]

    def _lookup(self, sequence: Sequence) -> Lookup:
        if sequence.lookup is None:
            sequence.lookup = Lookup()
        return sequence.lookup
