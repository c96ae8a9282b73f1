"""Which characters of an accepted text are still there, followed through the edits of its document."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from heron.editor.document import Document

Piece = tuple[int, int]
"""Where a piece begins and ends, in code points of the document, the end excluded."""


@dataclass(frozen=True, slots=True)
class Survival:
    """The pieces of a text that still stand, in order."""

    pieces: tuple[Piece, ...]

    @property
    def length(self) -> int:
        return sum(end - start for start, end in self.pieces)

    def after(self, start: int, end: int, new_length: int) -> "Survival":
        """The pieces after the text from `start` to `end` was replaced by one of another length."""
        shift = new_length - (end - start)
        cut = (part for piece in self.pieces for part in _cut(piece, start, end, shift))
        return Survival(tuple(cut))

    def after_change(self, before: Document, now: Document) -> "Survival":
        """The pieces after a change of the document, taken for one replacement."""
        return self.after(*find_change(before.text, now.text))


def find_change(before: str, now: str) -> tuple[int, int, int]:
    """Where two texts differ: start and end in the first, and the length of what took its place."""
    start = _common(before, now, lambda text, length: text[:length])
    most = min(len(before), len(now)) - start
    end = min(most, _common(before, now, lambda text, length: text[len(text) - length :]))
    return start, len(before) - end, len(now) - end - start


def _common(one: str, other: str, part: Callable[[str, int], str]) -> int:
    """How long a part both texts have in common, by halving."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if part(one, middle) == part(other, middle):
            low = middle
        else:
            high = middle - 1
    return low


def _cut(piece: Piece, start: int, end: int, shift: int) -> Iterator[Piece]:
    """What remains of a piece before and behind a replaced part."""
    if piece[0] < min(piece[1], start):
        yield piece[0], min(piece[1], start)
    if max(piece[0], end) < piece[1]:
        yield max(piece[0], end) + shift, piece[1] + shift
