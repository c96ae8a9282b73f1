"""How a document writes its documentation: the form of its sections, its quotes, where the summary stands."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from heron.editor.document import Range
from heron.editor.syntax.signatures import read_definitions
from heron.editor.syntax.tree import Tree

Form = Literal["google", "numpy", "rest", "plain", "jsdoc", "javadoc", "rustdoc", "godoc"]

_FORMS: dict[str, Form] = {
    "python": "google",
    "javascript": "jsdoc",
    "typescript": "jsdoc",
    "tsx": "jsdoc",
    "java": "javadoc",
    "rust": "rustdoc",
    "go": "godoc",
}
_GOOGLE = re.compile(r"^[ \t]*(?:Args|Arguments|Parameters|Returns|Yields|Raises|Attributes):[ \t]*$", re.MULTILINE)
_NUMPY = re.compile(r"^[ \t]*(?:Parameters|Returns|Yields|Raises|Attributes)[ \t]*\r?\n[ \t]*-{3,}", re.MULTILINE)
_REST = re.compile(r"^[ \t]*:(?:param|type|returns?|rtype|raises?)\b", re.MULTILINE)
_TAGS = re.compile(r"^\s*\*\s*@(?:param|returns?|throws)\b", re.MULTILINE)
_ARGUMENTS = re.compile(r"^\s*/// # (?:Arguments|Parameters)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class DocStyle:
    """The convention. `sections`: parameters and results get entries; else the summary is all.

    `own_line`: in a docstring of several lines the summary begins below the quotes.
    """

    form: Form
    sections: bool = True
    quotes: str = '"""'
    own_line: bool = False


def find_style(tree: Tree) -> DocStyle | None:
    """The style of a document, by most of its documentation; the language's usual one where it has none.

    None for a language whose documentation Heron does not write.
    """
    usual = _FORMS.get(tree.language.name)
    if usual is None:
        return None
    texts = [text for item in read_definitions(tree) if (text := _documentation(tree, item.documentation))]
    return _python_style(texts) if usual == "google" else DocStyle(usual, _has_sections(usual, texts))


def _documentation(tree: Tree, place: Range | None) -> str:
    document = tree.document
    return document.text[document.offset(place.start) : document.offset(place.end)] if place else ""


def _python_style(texts: list[str]) -> DocStyle:
    votes: Counter[Form] = Counter()
    for text in texts:
        votes.update(form for form, mark in _PYTHON if mark.search(text))
    multiline = [text for text in texts if "\n" in text]
    if not votes:
        form: Form = "plain" if len(texts) >= 2 else "google"
    else:
        form = votes.most_common(1)[0][0]
    own_line = _most(text.lstrip("rRuUbB").lstrip("\"'").startswith(("\n", "\r")) for text in multiline)
    return DocStyle(form, form != "plain", "'''" if _most("'''" in text for text in texts) else '"""', own_line)


_PYTHON: tuple[tuple[Form, re.Pattern[str]], ...] = (("google", _GOOGLE), ("numpy", _NUMPY), ("rest", _REST))


def _has_sections(form: Form, texts: list[str]) -> bool:
    """Whether entries for parameters are written: where nobody showed otherwise, as the language's tools want it."""
    match form:
        case "godoc":
            return False
        case "rustdoc":
            return any(_ARGUMENTS.search(text) for text in texts)
        case _:
            return len(texts) < 3 or any(_TAGS.search(text) for text in texts)


def _most(answers: Iterable[bool]) -> bool:
    counted = Counter(answers)
    return counted[True] > counted[False]
