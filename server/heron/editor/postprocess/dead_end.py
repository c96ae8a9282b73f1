"""A block must lead on to the code below it: what stands behind a `return` is never reached."""

import re

from heron.editor.syntax.gap import Gap, indent_of, width_of
from heron.editor.syntax.lexical import read_text

_LEAVES = re.compile(r"(?:return|raise|throw|break|continue)\b(?!.*\b(?:if|unless)\b(?!.*\belse\b))")
_GOES_ON = re.compile(r"(?:else|elif|elsif|elseif|except|catch|finally|rescue|ensure|case|default|when|function|def)\b")
_WORD_FIRST = re.compile(r"\w|@")


def cut_dead_end(text: str, gap: Gap) -> str:
    """Cut last lines that leave the block where code of the same block follows, and comments left at the end.

    A text that is nothing else is kept where only another such line is below: it may stand for that one.
    """
    below = next((line for line in gap.next_lines if line.strip()), "")
    if gap.shape != "block" or gap.inside != "code" or not _is_reached(below, gap):
        return text
    width = width_of(indent_of(below))
    lines = text.split("\n")
    while lines and _is_dead_end(lines, width, gap):
        lines.pop()
        while lines and (not lines[-1].strip() or _is_comment(lines[-1], gap)):
            lines.pop()
    is_instead = not lines and _LEAVES.match(below.strip())
    return text if is_instead else "\n".join(lines)


def _is_reached(below: str, gap: Gap) -> bool:
    """Whether the next line of the document is a statement that is come to from the one above."""
    code = below.strip()
    words = (*gap.language.end_words, *gap.language.middle_words) if gap.language else ()
    is_part = bool(_GOES_ON.match(code)) or code.split(maxsplit=1)[:1] == [] or code.split()[0] in words
    return gap.language is not None and gap.language.is_code and bool(_WORD_FIRST.match(code)) and not is_part


def _is_dead_end(lines: list[str], width: int, gap: Gap) -> bool:
    """Whether the last line, a statement of its own at this indentation, leaves the block whatever happens."""
    line = lines[-1] if len(lines) > 1 else gap.line_prefix + lines[-1]
    reading = read_text(line, gap.language)
    is_whole = not reading.open and not reading.unmatched and not reading.quote
    return is_whole and width_of(indent_of(line)) == width and _LEAVES.match(line.strip()) is not None


def _is_comment(line: str, gap: Gap) -> bool:
    return gap.language is not None and line.lstrip().startswith(gap.language.line_comments or ("\0",))
