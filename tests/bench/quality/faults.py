"""What is wrong with an insertion, told without the filters that should have prevented it."""

import ast
import re
from collections.abc import Callable, Mapping

from heron.editor.document import Document
from heron.editor.syntax.languages import find_language
from heron.editor.syntax.lexical import read_text
from heron.editor.syntax.tree import parse

Fault = Callable[[Document, int, str], bool]

_TOKEN = re.compile(r"<\|[^|>\n]{1,40}\|>|<｜[^｜\n]{1,40}｜>|<(?:fim|file|repo)_\w+>|<(?:PRE|SUF|MID|EOT)>|</?s>")
_FENCE = re.compile(r"^[ \t]*```", re.MULTILINE)
_NOISE = re.compile(r"\s+")
_TELLING = 8


def find_faults(document: Document, offset: int, offer: str) -> tuple[str, ...]:
    """Names of what is wrong with a text put in at an offset."""
    return tuple(name for name, has in FAULTS.items() if has(document, offset, offer))


def _leaks_tokens(document: Document, offset: int, offer: str) -> bool:
    """Whether there is a control token, or in code a fence: strings and comments may hold one."""
    tree = parse(document) if _FENCE.search(offer) else None
    return _TOKEN.search(offer) is not None or (tree is not None and tree.inside(document.position(offset)) == "code")


def _repeats_suffix(document: Document, offset: int, offer: str) -> bool:
    """Whether the rest of the line is written again, or a line of some length is the next line of the document.

    Such a line with others behind it counts if the one behind is the document's too: `return False` may come twice.
    """
    rest, *below = document.text[offset:].split("\n")
    if len(rest.strip()) > 1 and _squeeze(offer).endswith(_squeeze(rest)):
        return True
    following = [_squeeze(line) for line in below if line.strip()][:2]
    start = document.text.rfind("\n", 0, offset) + 1
    lines = [_squeeze(line) for line in (document.text[start:offset] + offer).split("\n") if line.strip()]
    if not following or len(re.sub(r"\W", "", following[0])) < _TELLING:
        return False
    return lines[-1:] == following[:1] or following in [lines[i : i + 2] for i in range(len(lines) - 1)]


def _unbalances(document: Document, offset: int, offer: str) -> bool:
    """Whether more brackets of the document are alone than before."""
    language = find_language(document.language, document.uri)

    def alone(text: str) -> int:
        reading = read_text(text, language)
        return len(reading.open) + len(reading.unmatched)

    text = document.text
    return alone(text[:offset] + offer + text[offset:]) > alone(text)


def _breaks_parse(document: Document, offset: int, offer: str) -> bool:
    """Whether a document that parsed does not any more."""
    text = document.text
    before = parse(document)
    after = parse(Document(document.uri, 2, document.language, text[:offset] + offer + text[offset:]))
    return before is not None and after is not None and after.has_error and not before.has_error


def _misindents(document: Document, offset: int, offer: str) -> bool:
    """Whether Python refuses the indentation, or lines mix tabs and blanks where the document does not."""
    text = document.text
    if "\t" in offer.lstrip("\t") and "\n\t" in offer and "\n\t" not in text:
        return True
    if document.language != "python":
        return False
    return _is_misindented(text[:offset] + offer + text[offset:]) and not _is_misindented(
        text[:offset] + "pass" + text[offset:]
    )


def _is_misindented(text: str) -> bool:
    try:
        ast.parse(text)
    except IndentationError:
        return True
    except (SyntaxError, ValueError):
        return False
    return False


def _loops(document: Document, offset: int, offer: str) -> bool:
    lines = [line for line in offer.split("\n") if len(line.strip()) > 2]
    return any(one == two == three for one, two, three in zip(lines, lines[1:], lines[2:], strict=False))


def _trails(document: Document, offset: int, offer: str) -> bool:
    return any(line != line.rstrip() for line in offer.split("\n"))


def _squeeze(text: str) -> str:
    return _NOISE.sub("", text)


FAULTS: Mapping[str, Fault] = {
    "leaks_tokens": _leaks_tokens,
    "repeats_suffix": _repeats_suffix,
    "unbalances_brackets": _unbalances,
    "breaks_parse": _breaks_parse,
    "misindents": _misindents,
    "loops": _loops,
    "trailing_white_space": _trails,
}
