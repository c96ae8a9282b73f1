"""Names that nothing defines: the code below reads some that an insertion has to define, and it may read others itself.

Read from words, for Python alone: its names are told from its keywords and built-ins without a list of our own.
"""

import builtins
import keyword
import re

from heron.editor.syntax.gap import Gap
from heron.editor.syntax.lexical import read_text

LOOKED_AT_LINES = 12
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?![\w'\"])")
_KEYWORD = re.compile(r"\s*=(?!=)")
_CALL_OR_KEYWORD = re.compile(r"\s*(?:\(|=(?!=))")
_BINDS = (
    re.compile(r"\bfor\s+(.+?)\s+in\b"),
    re.compile(r"^\s*([\w, ]+?)\s*(?::[^=\n]*)?=(?!=)", re.MULTILINE),
    re.compile(r"\bdef\s+\w+\s*\(([^)]*)\)"),
    re.compile(r"\b(?:as|import|def|class|global|nonlocal)\s+([\w, ]+)"),
    re.compile(r"\blambda\s+([\w, *]*):"),
    re.compile(r"([A-Za-z_]\w*)\s*:="),
)
_KNOWN = frozenset([*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "self", "cls"])


def missing_names(text: str, gap: Gap) -> frozenset[str]:
    """Names the code below needs and would still lack with `text` put in."""
    needed = _needed(gap)
    return needed - frozenset(_NAME.findall(text)) if needed else needed


def unknown_names(text: str, gap: Gap) -> frozenset[str]:
    """Names that `text` reads or calls, and that neither it nor any part of the document mentions."""
    if not _is_python_code(gap):
        return frozenset()
    unknown = _read_only(text, gap, _KEYWORD)
    return unknown - frozenset(_NAME.findall(gap.document.text)) if unknown else unknown


def _needed(gap: Gap) -> frozenset[str]:
    if not _is_python_code(gap):
        return frozenset()
    unknown = _read_only(_below(gap), gap, _CALL_OR_KEYWORD)
    return unknown - frozenset(_NAME.findall(gap.document.text[: gap.offset])) if unknown else unknown


def _is_python_code(gap: Gap) -> bool:
    return gap.language is not None and gap.language.name == "python" and gap.inside == "code"


def _read_only(text: str, gap: Gap, other_use: re.Pattern[str]) -> frozenset[str]:
    """Names of Python that a text reads and does not bind; `other_use` follows those that are not counted."""
    reading = read_text(text, gap.language)
    bound = frozenset(name for pattern in _BINDS for found in pattern.findall(text) for name in _NAME.findall(found))
    read = frozenset(
        match.group()
        for match in _NAME.finditer(text)
        if not other_use.match(text, match.end()) and not reading.is_plain(match.start())
    )
    return read - bound - _KNOWN


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
