"""Which definitions a document may mean, and how they are told in few tokens."""

import re
from collections.abc import Mapping

from heron.editor.context.index.symbol import Symbol
from heron.editor.context.view import View
from heron.editor.syntax.languages import Language, find_language

MAX_CHARACTERS = 110
"""Of a signature: what stands behind is worth less than the next one's name."""
_CALLED = frozenset({"function", "method", "macro", "class", "struct", "enum"})
_ONLY_NAMED = frozenset({"interface", "trait", "type"})
"""Kinds that stand for no value of their own; their heads say little."""
_FAMILIES: Mapping[str, str] = {
    **dict.fromkeys(("javascript", "typescript", "tsx", "vue", "svelte"), "script"),
    **dict.fromkeys(("c", "cpp"), "c"),
}
_TEST = re.compile(r"/(?:tests?|spec|__tests__|testdata)/|/test_[^/]*$|[._](?:test|spec)\.[a-z]+$")


def can_mean(view: View, symbol: Symbol) -> bool:
    """Whether code may name a symbol: none of another language or that serves tests, nor in Go what a package hides."""
    if _TEST.search(str(symbol.path)) and not _TEST.search(str(view.path)):
        return False
    language = find_language(view.document.language, view.document.uri)
    other = find_language("", symbol.path.name)
    if language is None or other is None or _family(language) != _family(other):
        return False
    return language.name != "go" or symbol.name[:1].isupper() or symbol.path.parent == view.path.parent


def _family(language: Language) -> str:
    """Languages that see each other's names have one."""
    return _FAMILIES.get(language.name, language.name)


def remoteness(symbol: Symbol) -> int:
    """0 for what can be called, which is what is typed most, then 1 for values, 2 for mere types."""
    return 0 if symbol.kind in _CALLED else 2 if symbol.kind in _ONLY_NAMED else 1


def shorten(signature: str) -> str:
    return signature if len(signature) <= MAX_CHARACTERS else f"{signature[:MAX_CHARACTERS]}…"
