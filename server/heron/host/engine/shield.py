"""Keeps special tokens out of what a client wrote: in no message, tool or result can one be read.

Every such text gets a separator character wherever a special token could be read in it or across its ends; marks that
are not special but have a token of their own, such as `<tool_call>`, get another kind, at which encoding stops.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from heron.host.engine.tokenizer import Tokenizer
from heron.wire import ChatPrompt


@dataclass(frozen=True, slots=True)
class Separators:
    """Two private-use characters that no text of a prompt has: a seam is taken out before encoding, a wall parts it."""

    seam: str
    wall: str


def unused_characters(prompt: ChatPrompt) -> Separators:
    used: set[str] = set().union(*map(set, _texts(prompt)))
    unused = (char for char in map(chr, range(0xF0000, 0xFFFFE)) if char not in used)
    return Separators(next(unused), next(unused))


def _texts(prompt: ChatPrompt) -> Iterator[str]:
    for message in prompt.messages:
        yield message.content
        yield message.tool_call_id
        for call in message.tool_calls:
            yield from (call.id, call.name, call.arguments)
    for tool in prompt.tools:
        yield from (tool.name, tool.description, tool.parameters)


class Shield:
    """Puts a seam into a text wherever a special token stands in it, or could reach into it from outside."""

    def __init__(self, tokenizer: Tokenizer, separators: Separators) -> None:
        self._tokenizer = tokenizer
        self._separator = separators.seam
        self._wall = separators.wall
        self._marks = _alternatives(tokenizer.mark_texts)
        self._special = tuple(tokenizer.special_texts)
        self._longest = max(map(len, self._special), default=0)
        self._starts = {text[:end] for text in self._special for end in range(1, len(text))}
        self._ends = {text[start:] for text in self._special for start in range(1, len(text))}

    def apply(self, text: str) -> str:
        text = self._break_whole(text)
        lengths = range(1, min(self._longest, len(text) + 1))
        if any(text[-length:] in self._starts for length in lengths):
            text += self._separator
        within = 0 < len(text) < self._longest and any(text in special for special in self._special)
        if within or any(text[:length] in self._ends for length in lengths):
            text = self._separator + text
        return text if self._marks is None else self._marks.sub(lambda found: self._part(found[0]), text)

    def _break_whole(self, text: str) -> str:
        """The text with each special token in it broken after its first letter; again for those that overlapped."""
        pieces = self._tokenizer.split_special(text)
        while any(token_id is not None for _, token_id in pieces):
            text = "".join(piece if token_id is None else self._break(piece) for piece, token_id in pieces)
            pieces = self._tokenizer.split_special(text)
        return text

    def _break(self, special: str) -> str:
        # A token of one letter cannot be broken, and is left out.
        return f"{special[0]}{self._separator}{special[1:]}" if len(special) > 1 else self._separator

    def _part(self, mark: str) -> str:
        return f"{mark[0]}{self._wall}{mark[1:]}"


def _alternatives(marks: tuple[str, ...]) -> re.Pattern[str] | None:
    return re.compile("|".join(map(re.escape, sorted(marks, key=len, reverse=True)))) if marks else None
