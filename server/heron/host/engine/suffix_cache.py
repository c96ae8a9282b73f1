"""Keys and values of suffixes, kept aside and moved to where the suffix stands after the next key.

In a prompt of prefix, suffix, middle every key typed moves the suffix, and a cache of prefixes loses it. What the
suffix's tokens saw of the prefix changes little, so their keys and values serve on at their new positions
(`Runner.restore`). The first tokens of the suffix are computed anew: through them the model sees where the cursor is.
Only what was computed exactly is kept, so that moves do not add up. Knows token ids, no tensors.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

LEAD_TOKENS = 4
"""Tokens of a suffix, its mark included, that are computed anew."""
LEAST_TOKENS = 8
"""Shorter suffixes are computed: moving costs about as much."""
MOST_DISTANCE = 256
"""How far a suffix may have moved since it was computed, in tokens."""
_HEAD_TOKENS = 32
"""Tokens at the beginning of the prompt that tell one window of a document from another."""

Key = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A suffix's keys and values as a runner saved them, from position `start` on."""

    start: int
    saved: object
    num_tokens: int


@dataclass(slots=True, eq=False)
class Move:
    """A kept suffix that stands in for tokens `start` to `end` of a sequence; `done` once it lies in its pages."""

    kept: Kept
    start: int
    end: int
    done: bool = False


class SuffixCache:
    """The suffixes used last, at most `max_tokens` in all."""

    def __init__(self, max_tokens: int) -> None:
        self._max_tokens = max_tokens
        self._kept: OrderedDict[Key, Kept] = OrderedDict()

    @property
    def num_tokens(self) -> int:
        return sum(kept.num_tokens for kept in self._kept.values())

    def find(self, token_ids: Sequence[int], span: tuple[int, int]) -> Move | None:
        """What can stand in for the tokens `span` (start, end) of a prompt."""
        key = _key(token_ids, span)
        kept = self._kept.get(key)
        if kept is None or abs(span[0] - kept.start) > MOST_DISTANCE:
            return None
        self._kept.move_to_end(key)
        return Move(kept, *span)

    def keep(self, token_ids: Sequence[int], span: tuple[int, int], saved: object) -> None:
        """Keep what was computed of the tokens `span`, in the place of what was kept of them before."""
        key = _key(token_ids, span)
        self._kept[key] = Kept(span[0], saved, span[1] - span[0])
        self._kept.move_to_end(key)
        while self.num_tokens > self._max_tokens:
            self._kept.popitem(last=False)


def find_span(token_ids: Sequence[int], suffix_mark: int, middle_mark: int) -> tuple[int, int] | None:
    """The tokens of a prefix-suffix-middle prompt that can be moved, (start, end); None if they are too few."""
    if suffix_mark not in token_ids or middle_mark not in token_ids:
        return None
    start, end = token_ids.index(suffix_mark) + LEAD_TOKENS, token_ids.index(middle_mark)
    return (start, end) if end - start >= LEAST_TOKENS else None


def _key(token_ids: Sequence[int], span: tuple[int, int]) -> Key:
    start, end = span
    return tuple(token_ids[: min(_HEAD_TOKENS, start)]), tuple(token_ids[start:end])
