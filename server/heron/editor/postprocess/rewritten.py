"""From a model's rewriting of some lines to the lines: no fences, no prose, the document's indentation."""

import re
import textwrap

_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[^\n`]*\n(?P<code>.*?)(?:^[ \t]*(?:```|~~~)|\Z)", re.DOTALL | re.MULTILINE)
_SPECIAL = re.compile(r"<\|[^|>\n]{1,40}\|>")
_LEFT_OUT = re.compile(
    r"(?:#|//|/\*)[^\n]*(?:\.\.\.|…|\b(?:rest of|existing code|remaining code|unchanged|same as before)\b)"
)


def clean_rewritten(answer: str, original: str) -> str:
    """The code in an answer, at the indentation of the original's first line, in its tabs or spaces; no end of line."""
    text = _SPECIAL.sub("", answer.replace("\r\n", "\n"))
    fence = _FENCE.search(text)
    return fit_lines(fence["code"] if fence else text, original)


def fit_lines(code: str, original: str) -> str:
    """Whole lines of code, moved to where the original's first line begins."""
    first = original.lstrip("\r\n")
    indent = first[: len(first) - len(first.lstrip(" \t"))]
    uses_tabs = any(line.startswith("\t") for line in original.split("\n"))
    lines = textwrap.dedent(code.strip("\n") if uses_tabs else code.strip("\n").expandtabs(4)).split("\n")
    placed = [indent + (_with_tabs(line) if uses_tabs else line) if line.strip() else "" for line in lines]
    return "\n".join(line.rstrip() for line in placed).rstrip()


def leaves_out(text: str, original: str) -> bool:
    """Whether a comment stands for code that was there: "... rest of the function"."""
    return len(_LEFT_OUT.findall(text)) > len(_LEFT_OUT.findall(original))


def _with_tabs(line: str) -> str:
    bare = line.lstrip(" ")
    spaces = len(line) - len(bare)
    return "\t" * (spaces // 4) + " " * (spaces % 4) + bare
