"""A piece of another place that may help at a cursor, and why it was taken."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

SourceName = Literal["definitions", "members", "recent", "open", "similar", "sibling", "diagnostics", "changes"]


@dataclass(frozen=True, slots=True)
class Snippet:
    """Lines `start` to `end` (not included) of a file, or what they say on fewer. `text` has \\n as line end.

    `name` is what it tells of, where that is worth telling only if the prompt does not show it otherwise.
    """

    source: SourceName
    path: Path
    start: int
    end: int
    text: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A snippet that goes into the prompt. `ranks` are its places, from 1, in the orders its `score` was made of."""

    snippet: Snippet
    score: float
    tokens: int
    ranks: Mapping[str, int]
