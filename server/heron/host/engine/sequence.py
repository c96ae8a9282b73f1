"""What the engine runs for one request: its tokens, how far they are computed, and what it needs to go on."""

from dataclasses import dataclass

from heron.host.engine.grammar import Matcher
from heron.host.engine.healing import Healing
from heron.host.engine.lookup import Lookup
from heron.host.engine.prefix_cache import Lease
from heron.host.engine.sampler import Sampler
from heron.host.engine.stream import TextStream
from heron.wire import Priority, Usage

PRIORITIES: tuple[Priority, ...] = ("completion", "chat", "background")
"""From most to least urgent; a sequence's rank begins as the index here."""
BACKGROUND = PRIORITIES.index("background")


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
    lease: Lease | None = None
    lookup: Lookup | None = None
    """What its drafts are looked up in, from the second token on."""
    num_drafted: int = 0
    num_accepted: int = 0
    """Drafted tokens that the model chose too."""

    @property
    def num_pending(self) -> int:
        """Tokens whose keys and values are still to be computed; 1 while decoding."""
        return len(self.token_ids) - self.num_computed

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
