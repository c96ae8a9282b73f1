"""Names that the code below the cursor reads and nothing above defines: an insertion that fits defines them.

Read from words, for Python alone: its names are told from its keywords and built-ins without a list of our own.
"""

import builtins
import keyword
import re

from heron.editor.syntax.gap import Gap
from heron.editor.syntax.lexical import read_text

LOOKED_AT_LINES = 12
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?!\w)")
_CALL_OR_KEYWORD = re.compile(r"\s*(?:\(|=(?!=))")
_BINDS = (
    re.compile(r"\bfor\s+(.+?)\s+in\b"),
    re.compile(r"^\s*([\w, ]+?)\s*(?::[^=]*)?=(?!=)", re.MULTILINE),
    re.compile(r"\b(?:as|import|def|class|global|nonlocal)\s+([\w, ]+)"),
    re.compile(r"\blambda\s+([\w, *]*):"),
    re.compile(r"([A-Za-z_]\w*)\s*:="),
)
_KNOWN = frozenset([*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "self", "cls"])


def missing_names(text: str, gap: Gap) -> frozenset[str]:
    """Names the code below needs and would still lack with `text` put in."""
    needed = _needed(gap)
    return needed - frozenset(_NAME.findall(text)) if needed else needed


def _needed(gap: Gap) -> frozenset[str]:
    if gap.language is None or gap.language.name != "python" or gap.inside != "code":
        return frozenset()
    below = _below(gap)
    reading = read_text(below, gap.language)
    bound = frozenset(name for pattern in _BINDS for found in pattern.findall(below) for name in _NAME.findall(found))
    read = frozenset(
        match.group()
        for match in _NAME.finditer(below)
        if not _CALL_OR_KEYWORD.match(below, match.end()) and not reading.is_plain(match.start())
    )
    unknown = read - bound - _KNOWN
    return unknown - frozenset(_NAME.findall(gap.document.text[: gap.offset])) if unknown else unknown


def _below(gap: Gap) -> str:
    """The next lines of the cursor's definition."""
    lines: list[str] = []
    for line in gap.next_lines:
        if lines and not line[:1].isspace() and line.strip():
            break
        lines += [line] if line.strip() else []
        if len(lines) == LOOKED_AT_LINES:
            break
    return "\n".join(lines)
