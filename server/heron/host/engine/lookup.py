"""The drafts of one sequence: looked up in its own text or in recent text, and judged by what the model then said."""

from dataclasses import dataclass, field

from heron.host.engine.draft_length import MAX_DRAFT_TOKENS, AcceptanceRates, OwnVerdicts
from heron.host.engine.ngrams import LONGEST_MATCH, Match, NgramIndex, RecentText


@dataclass(slots=True)
class Lookup:
    """Proposes what may follow a sequence's tokens. Its index is made when the first token is there, not before."""

    index: NgramIndex = field(default_factory=NgramIndex)
    verdicts: OwnVerdicts = field(default_factory=OwnVerdicts)
    proposed: Match | None = None
    """The last proposal, not yet judged."""

    def propose(self, token_ids: list[int], recent: RecentText) -> Match | None:
        """The longest match of the end of `token_ids`, which only grow; the sequence's own text before recent text."""
        self.index.extend(token_ids[len(self.index) :])
        own = self.index.find_own(MAX_DRAFT_TOKENS)
        found = None
        if own is None or own.length < LONGEST_MATCH:
            found = recent.find(token_ids[-LONGEST_MATCH:], MAX_DRAFT_TOKENS)
        self.proposed = own if found is None or (own is not None and own.length >= found.length) else found
        return self.proposed

    def judge(self, token_ids: list[int], rates: AcceptanceRates) -> None:
        """Compare the last proposal with the tokens that came, verified or not: up to the first that differs."""
        if self.proposed is None:
            return
        proposed, length = self.proposed.continuation, self.proposed.length
        for place, (guess, token_id) in enumerate(zip(proposed, token_ids, strict=False)):
            rates.observe(length + place, guess == token_id)
            self.verdicts.add(guess == token_id)
        self.proposed = None
