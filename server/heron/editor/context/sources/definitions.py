"""Signatures of what the cursor's scope refers to, found through the document's imports."""

import re
from collections.abc import Iterable, Iterator

from heron.editor.context.index.symbol import Symbol
from heron.editor.context.snippet import Snippet, SourceName
from heron.editor.context.view import View
from heron.editor.document import Document
from heron.editor.syntax.imports import Import, read_imports

MAX_NAMES = 60
MAX_NEAR, MAX_UNKNOWN = 60, 16
"""Names around the cursor, and of these such as are not imported: most of them are local."""
MAX_DEFINITIONS = 24
_NAME = re.compile(r"\w+")
_LEFT_OUT = frozenset({"section", "field", "module"})
_CONSTRUCTORS = ("__init__", "constructor", "__construct", "initialize")


def find_definitions(view: View) -> Iterable[Snippet]:
    """What is called first, then imports nothing uses yet, then names by their distance, then the other imports."""
    found = view.index.definitions_of(_wanted(view), view.path)
    others = {(one.path, one.name): one for one in reversed(found) if one.path != view.path}  # of overloads the first
    told = (one for one in reversed(others.values()) if one.kind not in _LEFT_OUT)
    for symbol, _ in zip(told, range(MAX_DEFINITIONS), strict=False):
        yield describe(view, symbol, "definitions")


def describe(view: View, symbol: Symbol, source: SourceName) -> Snippet:
    """A symbol's signature; a class's with that of its constructor."""
    lines = [symbol.signature, *(f"    {one.signature}" for one in _constructors(view, symbol))]
    return Snippet(source, symbol.path, symbol.range.start.line, symbol.range.end.line + 1, "\n".join(lines))


def _constructors(view: View, symbol: Symbol) -> Iterator[Symbol]:
    if symbol.kind == "class":
        inside = f"{symbol.container}.{symbol.name}".lstrip(".")
        yield from view.index.symbols_of(symbol.path, inside, _CONSTRUCTORS)


def _wanted(view: View) -> list[str]:
    imports = read_imports(view.tree) if view.tree is not None else ()
    imported = [name for one in imports for name in _local_names(one)]
    used = _used_names(view.document, imports) if imported else frozenset()
    unused = [name for name in imported if name not in used]
    callee = [view.scope.callee] if view.scope.callee else []
    near = view.scope.names[:MAX_NEAR]
    known, unknown = ([name for name in near if (name in imported) is is_known] for is_known in (True, False))
    return list(dict.fromkeys([*callee, *unused, *known, *unknown[:MAX_UNKNOWN], *imported]))[:MAX_NAMES]


def _used_names(document: Document, imports: Iterable[Import]) -> frozenset[str]:
    """All words outside of import statements."""
    starts, pieces, done = document.line_starts, [], 0
    for one in imports:
        pieces.append(document.text[done : starts[one.range.start.line]])
        done = document.offset(one.range.end)
    return frozenset(_NAME.findall(" ".join([*pieces, document.text[done:]])))


def _local_names(one: Import) -> tuple[str, ...]:
    return (one.alias,) if one.alias else tuple(name for name in one.names if name != "*")
