"""Names and text as words for full-text search: `parseURLPath` is also parse, url and path."""

import re
from collections.abc import Iterable
from functools import lru_cache

MAX_WORD_CHARACTERS = 40
_COMMON = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "but",
        "by",
        "can",
        "do",
        "does",
        "for",
        "from",
        "get",
        "has",
        "have",
        "how",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "me",
        "my",
        "no",
        "not",
        "of",
        "on",
        "or",
        "our",
        "so",
        "that",
        "the",
        "their",
        "then",
        "there",
        "these",
        "this",
        "to",
        "was",
        "we",
        "what",
        "when",
        "where",
        "which",
        "who",
        "why",
        "will",
        "with",
        "you",
        "your",
        "self",
        "return",
        "import",
        "def",
        "class",
        "function",
        "const",
        "let",
        "var",
        "true",
        "false",
        "none",
        "null",
        "else",
        "new",
        "int",
        "str",
        "string",
        "name",
        "value",
        "data",
        "type",
        "public",
        "private",
        "static",
        "void",
        "end",
    ]
)
_NAME = re.compile(r"[^\W\d]\w+")
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")


def split_words(text: str) -> str:
    """The words of a text, one after the other, lower-case; parts of a name follow it."""
    return " ".join([words for name in _NAME.findall(text) if (words := _name_words(name))])


@lru_cache(50_000)
def _name_words(name: str) -> str:
    if len(name) > MAX_WORD_CHARACTERS:
        return ""
    parts = split_name(name)
    return name.lower() if len(parts) < 2 else " ".join((name.lower(), *(part for part in parts if len(part) > 1)))


def split_name(name: str) -> tuple[str, ...]:
    """The lower-case parts of a name in camel or snake case."""
    return tuple(part.lower() for part in _PARTS.findall(name))


def telling_words(text: str) -> list[str]:
    """The distinct words of a text without those that every file has, unless there are no others."""
    words = list(dict.fromkeys(split_words(text).split()))
    return [word for word in words if word not in _COMMON] or words


def match_any(words: Iterable[str]) -> str:
    """An FTS5 expression for rows with any of the words. FTS5, "Full-text Query Syntax"."""
    return " OR ".join(f'"{word}"' for word in dict.fromkeys(words) if word and '"' not in word)
