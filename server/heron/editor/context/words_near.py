"""How alike stretches of code are, by the words they share, and which one of a text is most like a cursor's."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from heron.editor.document import Document, Position

ABOVE_LINES, BELOW_LINES = 12, 4
WINDOW_LINES = 8
_WORD = re.compile(r"[^\W\d]\w{2,}")


@dataclass(frozen=True, slots=True)
class Window:
    """Lines `start` to `end` (not included), and what part of all words they share with what was looked for."""

    start: int
    end: int
    likeness: float


def words_of(text: str) -> frozenset[str]:
    """The distinct names in a text."""
    return frozenset(_WORD.findall(text))


def text_near(document: Document, position: Position) -> str:
    """The lines around a cursor, without its own."""
    line = position.line
    numbers = (*range(max(0, line - ABOVE_LINES), line), *range(line + 1, line + BELOW_LINES))
    return "\n".join(document.line(number) for number in numbers)


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """From 0, nothing in common, to 1 (Jaccard 1912)."""
    together = len(one | other)
    return len(one & other) / together if together else 0.0


def best_window(lines: Sequence[str], wanted: frozenset[str]) -> Window:
    """The stretch of `WINDOW_LINES` that is most like what is wanted; stretches begin at every fourth line."""
    words = [words_of(line) for line in lines]
    starts = range(0, max(1, len(lines) - WINDOW_LINES // 2), WINDOW_LINES // 2)
    windows = [_window(words, start, wanted) for start in starts]
    return max(windows, key=lambda window: window.likeness)


def _window(words: Sequence[frozenset[str]], start: int, wanted: frozenset[str]) -> Window:
    end = min(len(words), start + WINDOW_LINES)
    return Window(start, end, likeness(frozenset().union(*words[start:end]), wanted))


def dedent(lines: Sequence[str]) -> str:
    """Lines without the indentation they share and without blank ones at their ends."""
    full = [line for line in lines if line.strip()]
    shared = min((len(line) - len(line.lstrip()) for line in full), default=0)
    return "\n".join(line[shared:].rstrip() for line in lines).strip("\n")
