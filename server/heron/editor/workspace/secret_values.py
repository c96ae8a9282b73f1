"""Secrets that show by where they stand or how they look: values of telling names, logins in URLs, random strings."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from math import log2

from heron.editor.workspace.secret_forms import Span

_PASSWORD = r"passw(?:or)?d|passwort|passphrase|pass_?code|pwd|passwd"
_OTHER = (
    r"secret|token|api[_-]?key|access[_-]?key|account[_-]?key|auth[_-]?key|private[_-]?key|encrypt(?:ion)?[_-]?key"
    r"|signing[_-]?key|master[_-]?key|service[_-]?key|shared[_-]?key|subscription[_-]?key|app[_-]?key|license[_-]?key"
    r"|deploy[_-]?key|session[_-]?key|cookie[_-]?key|hmac[_-]?key|storage[_-]?key|connection[_-]?string"
    r"|credentials?|bearer|authorization|\bauth\b|_auth\b|client[_-]?id|webhook|signature|\bpin\b|jwt|nonce|salt"
)
_NAME = re.compile(
    rf"(?:(?P<password>{_PASSWORD})|(?P<other>{_OTHER}))(?P<rest>[\w-]{{0,24}})"
    # the end of a subscript or key, a type, an array's size
    r"[\"'`\])]{0,3}(?:\s+value)?\s{0,8}(?:\[\d*\]\s?)?(?::\s?[\w.<>|\[\]?*& ]{1,40}?\s?(?==))?"
    r"\s{0,8}(?::=|=>|={1,3}|!==?|:|->|,|\(|\.assign\(|<-|\bto\b|\bis\b|\s)\s{0,8}@?[brfuLR]{0,2}$",
    re.IGNORECASE,
)
_NAME_REACH = 110
_QUOTED = re.compile(r"(?P<quote>[\"'`])(?P<value>(?:(?!(?P=quote))[^\\\n]|\\.){5,400})(?P=quote)")
_UNQUOTED = re.compile(
    rf"^[\s#;/*:-]*(?:export\s+|set\s+|ENV\s+|ARG\s+)?[\w.\[\]-]*?(?:(?P<password>{_PASSWORD})|(?P<other>{_OTHER}))[\w.-]*"
    r"\s?[=:]\s?(?P<value>[^\s\"'`(){}\[\],;<>$]{6,400})\s*$",
    re.IGNORECASE,
)
_LOGIN = re.compile(r"://[^\s:/@\"'`]*:(?P<value>[^\s/@\"'`{}<>$\[\]]{3,200})@")
_PARAMETER = re.compile(
    r"[?&;](?:api_?key|key|token|access_token|auth|sig|signature|secret|client_secret|password|passwd|pwd|code)="
    r"(?P<value>[^&\s\"'`<>{}$;]{6,})",
    re.IGNORECASE,
)
_CONNECTION = re.compile(r"\b(?:password|pwd)\s?=\s?(?P<value>[^;\s\"'`{}<>$&]{4,})(?=;)", re.IGNORECASE)
_HEADER = re.compile(r"\b(?:Bearer|Basic|Digest|Token|ApiKey)\s{1,3}(?P<value>[\w.~+/=-]{12,})", re.IGNORECASE)
_ARGUMENT = re.compile(
    r"(?:^|\s)(?:--?(?:password|passwd|pass|token|secret|api-?key|access-?key)(?:=|\s+)|(?:-u|--user)\s+[\w.@-]+:)"
    r"[\"']?(?P<value>[^\s\"'`<>{}$]{6,})",
    re.IGNORECASE,
)
_RANDOM = re.compile(r"(?<![\w+/-])(?:[A-Za-z0-9_-]{24,}|[A-Za-z0-9+/]{24,})={0,2}(?![\w+/-])")
_HEXADECIMAL = re.compile(r"(?<![\w-])(?:0x)?[0-9A-Fa-f]{32,}(?![\w-])")
_TELLING = re.compile(rf"{_PASSWORD}|{_OTHER}|key", re.IGNORECASE)
_INTEGRITY = re.compile(r"sha(?:1|256|384|512)[-:=]$", re.IGNORECASE)

_PLACEHOLDER = re.compile(
    r"[${<%]|\.\.\.|\*\*\*|x{4}|redacted|example|change_?me|your[_-]|placeholder|dummy|insert[_-]|replace[_-]|todo"
    r"|(?:string|text|hidden|none|null|true|false|undefined|required|optional|default|invalid|missing|unknown|empty)$",
    re.IGNORECASE,
)
_WORD = re.compile(r"[A-Za-z]*\d{0,4}")
_RUNS = re.compile(r"[a-z]{3,}|[A-Z]{4,}")
_PARTS = re.compile(r"[_\-./:\\#@ ]")

MIN_ENTROPY_BITS = 3.6
MIN_CLASS_CHANGES = 0.3  # of neighbouring characters: random base64 has 0.6, names in code below 0.2
MAX_WORD_SHARE = 0.5  # of characters in runs that may be words: random base64 has 0.25, names in code 0.7


def find_values(line: str) -> Iterator[Span]:
    """Secrets in the values of telling names, in URLs, headers and arguments, and random strings."""
    yield from _find_quoted(line)
    for match in _UNQUOTED.finditer(line):
        if _is_secret(match["value"], is_password=bool(match["password"]), is_quoted=False):
            yield match.span("value")
    for pattern in (_LOGIN, _PARAMETER, _CONNECTION, _HEADER, _ARGUMENT):
        for match in pattern.finditer(line):
            if _is_secret(match["value"], is_password=pattern in (_LOGIN, _CONNECTION, _ARGUMENT), is_quoted=True):
                yield match.span("value")
    yield from _find_random(line)


def _find_quoted(line: str) -> Iterator[Span]:
    """Texts in quotes after a telling name."""
    start = 0
    while match := _QUOTED.search(line, start):
        before = line[max(0, match.start() - _NAME_REACH) : match.start()]
        name = _NAME.search(before)
        if name and _is_secret(match["value"], is_password=bool(name["password"]), is_quoted=True):
            yield match.span("value")
        # The quote that ends one text may begin another: which is which cannot be known inside a long string.
        start = match.end() - (0 if name else 1)


def _find_random(line: str) -> Iterator[Span]:
    for match in _RANDOM.finditer(line):
        if is_random(match[0]) and not _INTEGRITY.search(line, max(0, match.start() - 8), match.start()):
            yield match.span()
    for match in _HEXADECIMAL.finditer(line):
        if _TELLING.search(line) and len(set(match[0])) > 6:
            yield match.span()


def _is_secret(value: str, *, is_password: bool, is_quoted: bool) -> bool:
    """Whether the value of a telling name is a secret and no name, path, placeholder or sentence."""
    if _PLACEHOLDER.search(value) or len(value) < 6 or (" " in value and not is_password):
        return False
    if is_password:
        return _is_password(value, is_quoted)
    digits = sum(character.isdigit() for character in value)
    letters = sum(character.isalpha() for character in value)
    return len(value) >= 8 and digits >= 1 and letters >= 2 and not _is_wordy(value)


def _is_password(value: str, is_quoted: bool) -> bool:
    if " " in value or _TELLING.search(value):
        return not _is_wordy(value) and " " not in value and any(character.isdigit() for character in value)
    if is_quoted:
        return not re.fullmatch(r"[A-Za-z]+(?:[._/-][A-Za-z]+)+", value)
    return any(character.isdigit() for character in value) and any(character.isalpha() for character in value)


def _is_wordy(value: str) -> bool:
    """Whether it is words and numbers put together, as names, paths and versions are."""
    return all(_WORD.fullmatch(part) and len(part) <= 24 for part in _PARTS.split(value))


@cache
def _class_of(character: str) -> int:
    return 0 if character.isdigit() else 1 if character.islower() else 2 if character.isupper() else 3


def is_random(value: str) -> bool:
    """Whether a string is drawn rather than written: high entropy, and its kinds of characters alternate."""
    classes = [_class_of(character) for character in value]
    if 0 not in classes or not {1, 2} <= set(classes) or _HEXADECIMAL.fullmatch(value):
        return False
    if sum(len(word) for word in _RUNS.findall(value)) > MAX_WORD_SHARE * len(value):
        return False
    changes = sum(one != other for one, other in pairwise(classes))
    return changes >= MIN_CLASS_CHANGES * len(value) and entropy_bits(value) >= MIN_ENTROPY_BITS


def entropy_bits(value: str) -> float:
    """Shannon entropy a character, in bits."""
    total = len(value)
    return -sum(count / total * log2(count / total) for count in Counter(value).values())
