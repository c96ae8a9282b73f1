"""What stands right of the cursor is not written again."""

import re

from heron.editor.syntax.gap import Gap
from heron.editor.syntax.lexical import PAIRS, read_text

LEAST_INNER_CHARACTERS = 4
_CLOSERS = re.compile(r"[\s)\]}]*")


def cut_rest_of_line(text: str, gap: Gap) -> str:
    """Cut the longest end of the answer that is how the rest of the line begins, white space aside."""
    rest = gap.line_suffix.strip()
    if not rest or gap.shape != "line":
        return text
    squeezed, offsets = _squeeze(text)
    wanted, _ = _squeeze(rest)
    for length in range(min(len(squeezed), len(wanted)), 0, -1):
        if squeezed.endswith(wanted[:length]):
            cut = offsets[len(squeezed) - length]
            if not _splits(text, cut, gap):
                return text[:cut]
    return _cut_inner(text, rest)


def _squeeze(text: str) -> tuple[str, list[int]]:
    """The text without white space, and the offset of each character left."""
    kept = [(char, offset) for offset, char in enumerate(text) if not char.isspace()]
    return "".join(char for char, _ in kept), [offset for _, offset in kept]


def _splits(text: str, cut: int, gap: Gap) -> bool:
    """Whether a cut would part a pair of brackets, a word, or a string of the answer."""
    if 0 < cut < len(text) and text[cut - 1].isalnum() and text[cut].isalnum():
        return True
    whole, kept = read_text(text, gap.language, gap.quote), read_text(text[:cut], gap.language, gap.quote)
    if kept.quote and not whole.quote and kept.quote != gap.quote:
        return True
    return len(kept.open) > len(whole.open) and not _is_awaited(gap)


def _is_awaited(gap: Gap) -> bool:
    """Whether the rest of the line closes what nothing before the cursor opened, so the answer must leave it open."""
    rest = read_text(gap.line_suffix, gap.language)
    opened = {PAIRS[bracket.char] for bracket in gap.reading.open}
    return any(closer.char not in opened for closer in rest.unmatched)


def _cut_inner(text: str, rest: str) -> str:
    """Cut where the answer holds the whole rest of the line and goes on."""
    found = text.find(rest) if len(rest) >= LEAST_INNER_CHARACTERS and not _CLOSERS.fullmatch(rest) else -1
    after = text[found + len(rest) :] if found >= 0 else ""
    return text if found < 0 or (after[:1].isalnum() and rest[-1].isalnum()) else text[:found]
