"""Which snippets go into a prompt: the best that fit a budget, none that would make the model repeat what is there."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from heron.editor.context.rank import Ranked
from heron.editor.context.snippet import Choice, Snippet
from heron.editor.document import Document, Position

NEAR_LINES = 60
SHOWN_ABOVE, SHOWN_BELOW = 100, 10
"""Lines that a prompt shows of the document, about."""
SHORTEST_TELLING = 8
"""Characters of a line that says something: shorter ones are the same everywhere."""
HEADER_TOKENS = 6
LINE_TOKENS = 2
"""What a comment mark and a line end cost."""
_NAME = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Near:
    """What the prompt shows around a cursor anyway: telling lines without their indentation, and names."""

    lines: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Allowance:
    """Tokens for snippets as the prompt shows them, and how to count a text's."""

    tokens: int
    count: Callable[[str], int]


def choose(ranked: Sequence[Ranked], near: Near, allowance: Allowance) -> list[Choice]:
    """The best snippets that fit, best first. `near` is what `look_near` found around the cursor."""
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


def look_near(document: Document, position: Position) -> Near:
    """What stands around a cursor, its own line left out of the names: it is being typed."""
    number = position.line
    lines = range(number - NEAR_LINES, number + NEAR_LINES + 1)
    shown = (*range(number - SHOWN_ABOVE, number), *range(number + 1, number + SHOWN_BELOW + 1))
    names = _NAME.findall("\n".join(document.line(one) for one in shown))
    return Near(frozenset(line for one in lines if _is_telling(line := document.line(one).strip())), frozenset(names))


def repeats(snippet: Snippet, near: Near) -> bool:
    """Whether the name a snippet is about, or half or more of what it says, stands around the cursor already.

    A small model knows what to do with a name it sees; told more of it, it takes words of that for what comes next.
    """
    if snippet.name in near.names:
        return True
    telling = [line for line in map(str.strip, snippet.text.split("\n")) if _is_telling(line)]
    return bool(telling) and 2 * sum(line in near.lines for line in telling) >= len(telling)


def _is_telling(line: str) -> bool:
    return len(line) >= SHORTEST_TELLING


def _cost(snippet: Snippet, allowance: Allowance) -> int:
    return allowance.count(snippet.text) + LINE_TOKENS * (snippet.text.count("\n") + 1)
