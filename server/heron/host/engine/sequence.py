"""What the engine runs for one request: its tokens, how far they are computed, and what it needs to go on."""

from dataclasses import dataclass

from heron.host.engine.grammar import Matcher
from heron.host.engine.healing import Healing
from heron.host.engine.lookup import Lookup
from heron.host.engine.prefix_cache import Lease
from heron.host.engine.sampler import Sampler
from heron.host.engine.stream import TextStream
from heron.host.engine.suffix_cache import Move
from heron.wire import Priority, Sampling, Usage

PRIORITIES: tuple[Priority, ...] = ("completion", "chat", "background")
"""From most to least urgent; a sequence's rank begins as the index here."""


@dataclass(slots=True, eq=False)
class Sequence:
    """One request on its way, owned by the step loop.

    `token_ids` are prompt and answer so far; keys and values of the first `num_computed` of them are in the pages of
    `lease`, which is None while the sequence waits.
    """

    request_id: str
    token_ids: list[int]
    num_prompt: int
    max_tokens: int
    """Most tokens of the answer, cut to what the context window leaves."""
    sampler: Sampler
    stream: TextStream
    matcher: Matcher | None = None
    """Where the answer stands in the grammar it must conform to."""
    healing: Healing | None = None
    """What the answer must begin with, until it has: the text of a last token of the prompt that was taken back."""
    num_hidden: int = 0
    """Tokens of the answer that only spell what was taken back."""
    client: str = ""
    rank: int = 0
    """The smaller, the more urgent; waiting lowers it."""
    lane: int = 0
    """The rank it began with, given by the scheduler: within it clients share fairly."""
    arrival: int = 0
    """Number in order of arrival, given by the scheduler."""
    waits_since: int = 0
    """The step since which it waits, while it does."""
    num_computed: int = 0
    num_cached: int | None = None
    """Tokens found in the cache when it first ran."""
    num_preamble: int = 0
    """First tokens that other conversations share, to be pinned in the cache once computed."""
    suffix: tuple[int, int] | None = None
    """Tokens (start, end) that may be moved to where they stand now, or kept to be moved later."""
    is_exact: bool = False
    """Whether its suffix is computed, and kept, in any case."""
    move: Move | None = None
    """The kept suffix that stands in for its own, while it has a lease."""
    was_moved: bool = False
    lease: Lease | None = None
    lookup: Lookup | None = None
    """What its drafts are looked up in, from the second token on."""
    num_drafted: int = 0
    num_accepted: int = 0
    """Drafted tokens that the model chose too."""

    @property
    def num_pending(self) -> int:
        """Tokens whose keys and values are still to be computed; 1 while decoding."""
        return len(self.token_ids) - self.num_computed - self._num_moved

    @property
    def num_exact(self) -> int:
        """The first tokens whose keys and values are those of exactly this text: what others may share."""
        return self.num_computed if self.move is None else min(self.num_computed, self.move.start)

    def advance(self, num_tokens: int) -> int:
        """The `num_computed` after so many more tokens: a moved suffix is passed over, but not before its turn."""
        return self.num_computed + num_tokens + (self._num_moved if self._reaches_move(num_tokens) else 0)

    def next_positions(self, num_tokens: int) -> list[int]:
        """Where the next tokens to be computed stand."""
        end = self.advance(num_tokens)
        if self.move is None or not self._reaches_move(num_tokens):
            return list(range(self.num_computed, end))
        return [*range(self.num_computed, self.move.start), *range(self.move.end, end)]

    def _reaches_move(self, num_tokens: int) -> bool:
        return self.move is not None and self.num_computed <= self.move.start < self.num_computed + num_tokens

    @property
    def _num_moved(self) -> int:
        """Tokens still ahead that a moved suffix stands in for."""
        is_ahead = self.move is not None and self.num_computed <= self.move.start
        return self.move.end - self.move.start if self.move is not None and is_ahead else 0

    @property
    def num_answered(self) -> int:
        """Tokens of the answer that its reader sees."""
        return len(self.token_ids) - self.num_prompt - self.num_hidden

    def usage(self) -> Usage:
        return Usage(
            prompt_tokens=self.num_prompt + self.num_hidden,
            completion_tokens=self.num_answered,
            cached_tokens=self.num_cached or 0,
            draft_tokens=self.num_drafted,
            accepted_draft_tokens=self.num_accepted,
        )


def exact_copy(sequence: Sequence) -> Sequence:
    """A background sequence that computes the same prompt without moving anything; what it answers is of no use."""
    prompt = sequence.token_ids[: sequence.num_prompt]
    return Sequence(
        request_id="",
        token_ids=prompt,
        num_prompt=len(prompt),
        max_tokens=1,
        sampler=Sampler(Sampling()),
        stream=TextStream(lambda _: b"", ()),
        client=sequence.client,
        rank=PRIORITIES.index("background"),
        suffix=sequence.suffix,
        is_exact=True,
    )
