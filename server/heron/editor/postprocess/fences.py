"""Instruction-tuned models wrap code in Markdown and talk around it."""

import re

from heron.editor.syntax.gap import Gap

_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[^\n`]*(?:\n|\Z)", re.MULTILINE)
_PROSE = re.compile(
    r"\s*(?:(?:Sure|Certainly|Of course|Okay|Here(?:'s| is| are)|Please|Note that|Explanation|You can|In this)\b"
    r"|I(?:'m| am|'ve| have|'ll| will| can| cannot| think)\b|It (?:seems|looks)\b|To (?:complete|implement|fix|solve)\b"
    r"|This (?:code|function|method|snippet|program)\b|The (?:code|function|missing|following|given)\b)"
    r"[^\n=;{}()]*[.:!,][^\n=;{}]*(?:\n|\Z)"
)


def unwrap_fence(text: str, gap: Gap) -> str:
    """Keep what is inside the first fence and drop prose before it; cut at a fence that closes nothing.

    Only in code: prose, comments and strings may hold both.
    """
    if gap.language is None or not gap.language.is_code or gap.inside != "code":
        return text
    fence = _FENCE.search(text)
    if fence is None:
        return "" if _PROSE.match(text) else text
    before = text[: fence.start()]
    if before.strip() and not _PROSE.match(before):
        return before.rstrip("\n")
    closing = _FENCE.search(text, fence.end())
    return text[fence.end() : closing.start() if closing else None].rstrip("\n")
