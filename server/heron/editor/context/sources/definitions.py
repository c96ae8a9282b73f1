"""Signatures of what the cursor's scope refers to, found through the document's imports."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from heron.editor.context.index.symbol import Symbol
from heron.editor.context.snippet import Snippet, SourceName
from heron.editor.context.sources.fitting import can_mean, remoteness, shorten
from heron.editor.context.sources.following import HOLDERS
from heron.editor.context.sources.members import order_members
from heron.editor.context.view import View
from heron.editor.document import Document
from heron.editor.syntax.imports import Import, read_imports_at

MAX_NAMES = 60
MAX_NEAR, MAX_UNKNOWN = 60, 16
"""Names around the cursor, and of these such as are not imported: most of them are local."""
MAX_DEFINITIONS = 24
MAX_STARRED = 8
"""Files whose names all are imported that are looked into."""
_LEFT_OUT = frozenset({"section", "field", "module"})
_CONSTRUCTORS = ("__init__", "constructor", "__construct", "initialize")


def find_definitions(view: View) -> Iterable[Snippet]:
    """What is called first, then imports nothing uses yet, names by their distance, other imports, what stars bring."""
    imports = read_imports_at(view.tree, view.position) if view.tree is not None else ()
    found = view.index.definitions_of(_wanted(view, imports), view.path, 2 * MAX_DEFINITIONS)
    others = {(one.path, one.name): one for one in reversed(found) if one.path != view.path}  # of overloads the first
    told = [one for one in (*reversed(others.values()), *_brought_by_stars(view, imports)) if _is_telling(view, one)]
    referred_to = _referred_to(view, imports)
    for symbol in sorted(told, key=remoteness)[:MAX_DEFINITIONS]:
        yield replace(describe(view, symbol, "definitions"), name="" if symbol.name in referred_to else symbol.name)


def _referred_to(view: View, imports: Iterable[Import]) -> frozenset[str]:
    """The names the code around uses, as the files that define them call them."""
    used = {view.scope.callee, *view.scope.names}
    return frozenset(used.union(*(one.names for one in imports if one.alias in used)))


def _brought_by_stars(view: View, imports: Iterable[Import]) -> list[Symbol]:
    """What modules define of which all names are imported, those first that share most words with the code around."""
    modules = [one.module for one in imports if "*" in one.names and not view.scope.receiver]
    paths = dict.fromkeys(path for module in modules for path in view.index.files_of(module, "*", view.path))
    found = [("", one) for path in [*paths][:MAX_STARRED] for one in view.index.symbols_of(path) if path != view.path]
    return [one for _, one in order_members(view, found)][:MAX_DEFINITIONS]


def _is_telling(view: View, symbol: Symbol) -> bool:
    """Whether a definition says more than its name, and is what the name means: of a method only its call is sure."""
    if symbol.kind in _LEFT_OUT or symbol.signature == symbol.name or not can_mean(view, symbol):
        return False
    if view.scope.receiver and symbol.kind in HOLDERS:  # no type stands behind a dot, but as a module's member
        return False
    return not symbol.container or symbol.kind != "method" or symbol.name == view.scope.callee


def describe(view: View, symbol: Symbol, source: SourceName) -> Snippet:
    """A symbol's signature; a class's with that of its constructor."""
    lines = [shorten(symbol.signature), *(f"    {shorten(one.signature)}" for one in _constructors(view, symbol))]
    return Snippet(source, symbol.path, symbol.range.start.line, symbol.range.end.line + 1, "\n".join(lines))


def _constructors(view: View, symbol: Symbol) -> Iterator[Symbol]:
    if symbol.kind == "class":
        inside = f"{symbol.container}.{symbol.name}".lstrip(".")
        yield from view.index.symbols_of(symbol.path, inside, _CONSTRUCTORS)


def _wanted(view: View, imports: Sequence[Import]) -> list[str]:
    imported = list(dict.fromkeys(name for one in imports for name in _local_names(one)))
    unused = _unused(view.document, imports, imported[-MAX_NAMES:])
    callee = [view.scope.callee] if view.scope.callee else []
    near = view.scope.names[:MAX_NEAR]
    known, unknown = ([name for name in near if (name in imported) is is_known] for is_known in (True, False))
    return list(dict.fromkeys([*callee, *unused, *known, *unknown[:MAX_UNKNOWN], *imported]))[:MAX_NAMES]


def _unused(document: Document, imports: Sequence[Import], names: Iterable[str]) -> list[str]:
    """The names that stand nowhere outside of import statements."""
    starts, pieces, done = document.line_starts, [], 0
    for one in imports:
        pieces.append(document.text[done : starts[one.range.start.line]])
        done = document.offset(one.range.end)
    text = "\n".join([*pieces, document.text[done:]])
    return [name for name in names if not _has_word(text, name)]


def _has_word(text: str, name: str) -> bool:
    """Whether a name stands alone in a text. Not by an expression, which takes a hundred times as long."""
    start = text.find(name)
    while start >= 0:
        end = start + len(name)
        if not (_is_word(text[start - 1 : start]) or _is_word(text[end : end + 1])):
            return True
        start = text.find(name, end)
    return False


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _local_names(one: Import) -> tuple[str, ...]:
    return (one.alias,) if one.alias else tuple(name for name in one.names if name != "*")
