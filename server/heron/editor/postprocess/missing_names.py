"""Names that nothing defines: the code below reads some that an insertion has to define, and it may read others itself.

Read from words, for Python alone: its names are told from its keywords and built-ins without a list of our own.
"""

import builtins
import keyword
import re

from heron.editor.syntax.gap import Gap, expects_body
from heron.editor.syntax.lexical import Reading, read_text

LOOKED_AT_LINES = 12
_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?![\w'\"])")
_KEYWORD = re.compile(r"\s*=(?!=)")
_CALL_OR_KEYWORD = re.compile(r"\s*(?:\(|=(?!=))")
_BINDS = (
    re.compile(r"\bfor\s+(.+?)\s+in\b"),
    re.compile(r"\bdef\s+\w+\s*\(([^)]*)\)"),
    re.compile(r"\b(?:as|import|def|class|global|nonlocal)\s+([\w, ]+)"),
    re.compile(r"\blambda\s+([\w, *]*):"),
    re.compile(r"([A-Za-z_]\w*)\s*:="),
)
_ASSIGNS = re.compile(r"[ \t]*([\w, ]+?)\s*(?::[^=\n]*)?=(?!=)")
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
    if not _is_python_code(gap) or "import *" in gap.document.text:
        return frozenset()
    read = _read_only("\n".join(definition_below(gap)), gap, _CALL_OR_KEYWORD)
    return frozenset(name for name in read if not _is_known(name, gap))


def _is_known(name: str, gap: Gap) -> bool:
    """Whether the code above mentions a name, or a line at the margin below begins with it."""
    far = gap.document.text[: max(0, gap.offset - len(gap.preceding))]
    is_above = _mentions(_without_plain(gap.preceding, gap.reading), name) or _mentions(far, name)
    return is_above or any(line.startswith(name) and _mentions(line, name) for line in gap.next_lines)


def _mentions(text: str, name: str) -> bool:
    return name in text and re.search(rf"(?<![\w.]){name}(?![\w'\"])", text) is not None


def _without_plain(text: str, reading: Reading) -> str:
    """The text without its strings and comments."""
    starts, ends = [0, *(end for _, end in reading.plain)], [*(start for start, _ in reading.plain), len(text)]
    return " ".join(text[start:end] for start, end in zip(starts, ends, strict=True))


def _is_python_code(gap: Gap) -> bool:
    return gap.language is not None and gap.language.name == "python" and gap.inside == "code"


def _read_only(text: str, gap: Gap, other_use: re.Pattern[str]) -> frozenset[str]:
    """Names of Python that a text reads before it assigns them; `other_use` follows those that are not counted."""
    reading = read_text(text, gap.language)
    bound = {name for pattern in _BINDS for found in pattern.findall(text) for name in _NAME.findall(found)}
    read: set[str] = set()
    start = 0
    for line in text.splitlines(keepends=True):
        assigns = _ASSIGNS.match(line)
        names = _NAME.finditer(text, start + (assigns.end() if assigns else 0), start + len(line))
        used = [name for name in names if not other_use.match(text, name.end()) and not reading.is_plain(name.start())]
        read |= {name.group() for name in used} - bound
        bound |= {*_NAME.findall(assigns[1])} if assigns else set()
        start += len(line)
    return frozenset(read - _KNOWN)


def definition_below(gap: Gap) -> list[str]:
    """The next lines of the cursor's definition that are not blank."""
    lines: list[str] = []
    for line in gap.next_lines:
        if not line[:1].isspace() and line.strip() and (lines or _is_indented(gap)):
            break
        lines += [line] if line.strip() else []
        if len(lines) == LOOKED_AT_LINES:
            break
    return lines


def _is_indented(gap: Gap) -> bool:
    """Whether the cursor seems to be in a block."""
    above = next((line for line in reversed((*gap.previous_lines, gap.line_prefix)) if line.strip()), "")
    return (above[:1] or gap.line_prefix[:1]).isspace() or expects_body(above, gap.language)
