"""Taking secrets out of a text before it goes into a prompt. Lines stay lines; only the secret in one is replaced.

Every prompt passes here, some at each key, so lines are judged once and remembered.
"""

import re
from functools import lru_cache

from heron.editor.workspace.secret_forms import Span, find_known
from heron.editor.workspace.secret_values import find_values

REDACTED = "[redacted]"
REMEMBERED_LINES = 16_384
MAX_LINE_CHARACTERS = 20_000

_SUSPECT_WORDS = (
    *("pass", "pwd", "secret", "token", "key", "auth", "cred", "bearer", "basic", "digest", "salt", "nonce", "pin"),
    *("jwt", "sign", "://", "@", "hook", "connection", "client", "-u ", "--user", "-----", "?", "&"),
)
_SUSPECT_RUN = re.compile(r"(?<![\w+/=.~:-])[\w+/=.~:-]{20}")
_KEY_BEGIN = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-|Private-Lines:")
_KEY_END = re.compile(r"-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|Private-MAC:")
_KEY_ON_ONE_LINE = re.compile(r"(-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----)([^-]{16,})")
_KEY_HEADER = re.compile(r"\s*(?:[\w-]{3,20}: .*|[\"'#/*|>+\\n ]*)")
_KEY_LINE = re.compile(r"([\s\"'`#/*|>+]*)([A-Za-z0-9+/=]+)((?:\\[nr])*[\s\"'`,;+)\\]*)")
_LONG_KEY_LINE = 40


def redact(text: str) -> str:
    """The text with `[redacted]` in the place of each secret; as many lines as before, and the rest as it was."""
    lines = text.split("\n")
    changed = [_redact_line(line) for line in lines]
    if "PRIVATE KEY" in text or "Private-" in text:
        _redact_keys(lines, changed)
    return "\n".join(changed)


def warm() -> None:
    """Load what the first line with something suspect would wait for."""
    list(find_known(""))


@lru_cache(REMEMBERED_LINES)
def _redact_line(line: str) -> str:
    if not _is_suspect(line):
        return line
    if len(line) > MAX_LINE_CHARACTERS:
        return "".join(_redact_line(line[at : at + 4000]) for at in range(0, len(line), 4000))
    return _replace(line, [*find_known(line), *find_values(line)])


def _is_suspect(line: str) -> bool:
    """Whether a line is worth the search: it has a word that secrets come with, or a long run of their characters."""
    lowered = line.lower()
    return any(word in lowered for word in _SUSPECT_WORDS) or _SUSPECT_RUN.search(line) is not None


def _replace(line: str, spans: list[Span]) -> str:
    """The line with each of the spans replaced, those that overlap or touch by one mark."""
    pieces, done = [], 0
    for start, end in sorted(spans):
        if end <= done:
            continue
        if start >= done:
            pieces += [line[done:start], REDACTED]
        done = end
    return "".join([*pieces, line[done:]])


def _redact_keys(lines: list[str], changed: list[str]) -> None:
    """Replace the bodies of private keys, also of those whose begin or end lies outside of the text."""
    for number, line in enumerate(lines):
        if _KEY_BEGIN.search(line):
            changed[number] = _KEY_ON_ONE_LINE.sub(rf"\1{REDACTED}", line)
            _redact_body(lines, changed, range(number + 1, len(lines)))
        elif _KEY_END.search(line):
            _redact_body(lines, changed, range(number - 1, -1, -1))


def _redact_body(lines: list[str], changed: list[str], numbers: range) -> None:
    """Replace the lines of base64 that follow. Code that only speaks of keys has none as long as a key's."""
    has_body = numbers.step < 0
    for number in numbers:
        line = _KEY_LINE.fullmatch(lines[number])
        if line and (has_body or len(line[2]) >= _LONG_KEY_LINE):
            has_body = True
            changed[number] = f"{line[1]}{REDACTED}{line[3]}"
        elif has_body or not _KEY_HEADER.fullmatch(lines[number]):
            return
