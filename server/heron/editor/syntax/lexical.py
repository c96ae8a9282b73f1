"""A quick reading of text without a tree: comments, strings and brackets, for any language and any broken code.

It answers for text that is not in a document yet (a completion as it streams) in microseconds. It reads what most
languages share; heredocs, regular-expression literals and the like are read as plain code.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from heron.editor.syntax.languages import Language

PAIRS = {"(": ")", "[": "]", "{": "}"}

Inside = Literal["code", "string", "comment"]


@dataclass(frozen=True, slots=True)
class Bracket:
    """A bracket and its offset in the text that was read."""

    char: str
    offset: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text leaves behind: brackets still open, closers it never opened, and where it ends.

    `ends` is where its end lies, `quote` the delimiter that would close that string or block comment.
    `plain` holds the half-open offsets of its strings and comments, in order.
    """

    open: tuple[Bracket, ...]
    unmatched: tuple[Bracket, ...]
    ends: Inside
    quote: str
    plain: tuple[tuple[int, int], ...]

    def is_plain(self, offset: int) -> bool:
        """Whether the character at `offset` belongs to a string or comment."""
        return any(start <= offset < end for start, end in self.plain)


def read_text(text: str, language: Language | None, quote: str = "") -> Reading:
    """Read `text`, which begins inside a string or block comment that `quote` ends, or in code if that is empty."""
    start = 0
    plain = []
    if quote:
        first = re.compile(_rest(quote, language)).match(text)
        start = first.end() if first else 0
        plain = [(0, start)]
        if first and first.group("ended") is not None:
            return Reading((), (), _kind(quote, language), quote, tuple(plain))
    return _read_code(text, start, language, plain)


def _read_code(text: str, start: int, language: Language | None, plain: list[tuple[int, int]]) -> Reading:
    pattern, closers = _pattern(language)
    open_brackets: list[Bracket] = []
    unmatched: list[Bracket] = []
    ends: Inside = "code"
    quote = ""
    for match in pattern.finditer(text, start):
        kind = match.lastgroup
        if kind == "bracket":
            _match_bracket(Bracket(match.group(), match.start()), open_brackets, unmatched)
            continue
        plain.append(match.span())
        if kind == "line" and match.end() == len(text):
            ends = "comment"
        elif kind in closers and match.group(kind) is not None:
            quote = closers[kind]
            ends = _kind(quote, language)
    return Reading(tuple(open_brackets), tuple(unmatched), ends, quote, tuple(plain))


def _match_bracket(bracket: Bracket, open_brackets: list[Bracket], unmatched: list[Bracket]) -> None:
    """Open or close. A closer that fits none but an outer bracket closes that one: those within were no code."""
    if bracket.char in PAIRS:
        open_brackets.append(bracket)
        return
    for index in range(len(open_brackets) - 1, -1, -1):
        if PAIRS[open_brackets[index].char] == bracket.char:
            del open_brackets[index:]
            return
    unmatched.append(bracket)


@cache
def _pattern(language: Language | None) -> tuple[re.Pattern[str], dict[str, str]]:
    """What must be told apart, and for each group that matches only at the text's end the mark that is missing."""
    quotes = language.quotes if language else ('"',)
    comments = [language.block_comment] if language and language.block_comment else []
    delimiters = [*comments, *((quote, quote) for quote in quotes)]
    closers = {f"ended{number}": closer for number, (_, closer) in enumerate(delimiters)}
    delimited = [
        re.escape(opener) + _rest(closer, language, ended)
        for (opener, _), (ended, closer) in zip(delimiters, closers.items(), strict=True)
    ]
    line = "|".join(_line_comment(mark) for mark in language.line_comments) if language else ""
    brackets = language.brackets if language else "()[]{}"
    parts = [
        *delimited[: len(comments)],  # before line comments: Lua's block comments begin like them
        f"(?P<line>{line})" if line else "",
        *delimited[len(comments) :],
        "" if "'" in quotes else r"'(?:\\[^\n']+|[^'\\\n])'",  # a character, so that '"' opens no string
        f"(?P<bracket>[{re.escape(brackets)}])" if brackets else "",
    ]
    return re.compile("|".join(part for part in parts if part) or "(?!)"), closers


def _line_comment(mark: str) -> str:
    """A hash within a word or an expansion ($#, ${#x}) starts no comment."""
    return (r"(?<![\w${])" if mark == "#" else "") + re.escape(mark) + r"[^\n]*"


def _rest(quote: str, language: Language | None, ended: str = "ended") -> str:
    """Regular expression from within a string or comment to its closer, its line's end, or the text's (`ended`)."""
    mark = re.escape(quote)
    if _kind(quote, language) == "comment":
        return rf"(?s:(?!{mark}).)*(?:{mark}|(?P<{ended}>\Z))"
    spans_lines = language is not None and quote in language.multiline_quotes
    body = rf"(?:\\(?s:.)|(?!{mark})[^\\{'' if spans_lines else chr(92) + 'n'}])*"
    return rf"{body}\\?(?:{mark}|(?P<{ended}>\Z)|(?=\n))"


def _kind(quote: str, language: Language | None) -> Inside:
    return "comment" if language and quote in language.block_comment[1:] else "string"
