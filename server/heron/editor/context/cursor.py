"""What may be inserted at a cursor: the rest of a line, a block of lines, or nothing."""

import re
from dataclasses import dataclass

from heron.editor.syntax.gap import Gap, Shape

_CLOSERS_ONLY = re.compile(r"""[)\]}>"'`]*[\s)\]}>"'`;,:{.]*""")
_WORD = re.compile(r"\w")
_JOINS_WORD = re.compile(r"[\w.$@]\Z")


@dataclass(frozen=True, slots=True)
class Judgement:
    """The shape of an insertion, and why in a few words (for logs and `heron complete`)."""

    shape: Shape
    reason: str


def judge_cursor(gap: Gap) -> Judgement:
    """Decide what fits at the cursor; the gap's own `shape` is not looked at."""
    rest = gap.line_suffix
    if _WORD.match(rest):
        return Judgement("none", "inside a word")
    inside = gap.inside
    if inside != "code":
        return Judgement("line", f"inside a {inside}")
    if rest.strip():
        return _judge_middle(gap, rest)
    return _judge_line_end(gap)


def _judge_middle(gap: Gap, rest: str) -> Judgement:
    if _CLOSERS_ONLY.fullmatch(rest):
        return Judgement("line", "before closing characters")
    if not gap.line_prefix.strip():
        return Judgement("none", "before existing code")
    if rest[0] in " \t,;)]}.:=+-*/%&|<>?!":
        return Judgement("line", "in the middle of a line")
    if rest[0] in "([{" and _JOINS_WORD.search(gap.line_prefix):
        return Judgement("line", "before brackets")
    return Judgement("none", "before existing code")


def _judge_line_end(gap: Gap) -> Judgement:
    language = gap.language
    if language is None or not language.is_code:
        return Judgement("line", "line by line in this language")
    line = gap.line_prefix.strip()
    if not line:
        return Judgement("block", "on a blank line")
    if gap.opens_block:
        return Judgement("block", "a block begins")
    return Judgement("line", "at the end of a line")
