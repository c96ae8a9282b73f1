"""Which snippets go into a prompt: the best that fit a budget, none that would make the model repeat what is there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from heron.editor.context.rank import Ranked
from heron.editor.context.snippet import Choice, Snippet
from heron.editor.document import Document, Position

NEAR_LINES = 60
SHORTEST_TELLING = 8
"""Characters of a line that says something: shorter ones are the same everywhere."""
HEADER_TOKENS = 6
LINE_TOKENS = 2
"""What a comment mark and a line end cost."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """Tokens for snippets as the prompt shows them, and how to count a text's."""

    tokens: int
    count: Callable[[str], int]


def choose(ranked: Sequence[Ranked], near: frozenset[str], allowance: Allowance) -> list[Choice]:
    """The best snippets that fit, best first. `near` are the lines around the cursor, from `lines_near`."""
    chosen: list[Choice] = []
    paths: set[Path] = set()
    left = allowance.tokens
    for one in ranked:
        if repeats(one.snippet, near):
            continue
        tokens = _cost(one.snippet, allowance) + (0 if one.snippet.path in paths else HEADER_TOKENS)
        if tokens <= left:
            chosen.append(Choice(one.snippet, one.score, tokens, one.ranks))
            paths.add(one.snippet.path)
            left -= tokens
    return chosen


def lines_near(document: Document, position: Position) -> frozenset[str]:
    """Telling lines around a cursor, without their indentation."""
    lines = range(position.line - NEAR_LINES, position.line + NEAR_LINES + 1)
    return frozenset(line for number in lines if _is_telling(line := document.line(number).strip()))


def repeats(snippet: Snippet, near: frozenset[str]) -> bool:
    """Whether half or more of what a snippet says stands around the cursor already."""
    telling = [line for line in map(str.strip, snippet.text.split("\n")) if _is_telling(line)]
    return bool(telling) and 2 * sum(line in near for line in telling) >= len(telling)


def _is_telling(line: str) -> bool:
    return len(line) >= SHORTEST_TELLING


def _cost(snippet: Snippet, allowance: Allowance) -> int:
    return allowance.count(snippet.text) + LINE_TOKENS * (snippet.text.count("\n") + 1)
