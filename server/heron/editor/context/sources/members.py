"""Members of what stands before the dot at the cursor: of a module, of a value's type, of the class around."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from heron.editor.context.index.symbol import Symbol
from heron.editor.context.index.words import split_name
from heron.editor.context.snippet import Snippet
from heron.editor.context.sources.types import bases_around, read_bases, types_of
from heron.editor.context.view import View
from heron.editor.syntax.imports import read_imports

MAX_MEMBERS = 40
MAX_OWNERS = 6
_HOLDERS = frozenset({"class", "interface", "struct", "trait", "enum", "type"})
_CALLED = frozenset({"function", "method", "macro", *_HOLDERS})
_OWN = frozenset({"self", "this", "cls", "super"})


def find_members(view: View) -> Iterable[Snippet]:
    """Signatures of the members that may be meant, the likeliest first; none without a dot at the cursor."""
    receiver = view.scope.receiver
    if not receiver:
        return
    found = [*_members_of_values(view, receiver), *_members_of_modules(view, receiver)]
    for owner, one in _order(view, found)[:MAX_MEMBERS]:
        text = f"{owner}.{one.name}: {one.signature}" if owner else one.signature
        yield Snippet("members", one.path, one.range.start.line, one.range.end.line + 1, text)


Member = tuple[str, Symbol]
"""With the name of its type; empty for what a module has."""


def _order(view: View, found: Sequence[Member]) -> list[Member]:
    """What can be called before values, public before private, and what shares more words with the code around."""
    words = {part for name in view.scope.names[:MAX_MEMBERS] for part in split_name(name)}

    def unlikeliness(member: Member) -> tuple[bool, bool, int]:
        one = member[1]
        shared = words.intersection(split_name(one.name))
        return one.kind not in _CALLED, one.name.startswith("_"), -len(shared)

    return sorted(found, key=unlikeliness)


def _members_of_values(view: View, receiver: str) -> Iterator[Member]:
    for owner in _owners(view, receiver):
        inside = f"{owner.container}.{owner.name}".lstrip(".")
        members = view.index.symbols_of(owner.path, inside)
        yield from ((owner.name, one) for one in members if not one.name.startswith("__"))


def _owners(view: View, receiver: str) -> list[Symbol]:
    """The types the receiver may have with what they inherit from: as the document says, else called like it."""
    *above, last = re.split(r"\.|::", receiver)
    if last in _OWN and not above:
        found = _types(view, bases_around(view.document, view.position), view.path)
    else:
        found = _types(view, types_of(view.document.text, last), view.path)
        found = found or _types(view, [last, "".join(part.capitalize() for part in split_name(last))], view.path)
    owners: dict[tuple[Path, str], Symbol] = {}
    while found and len(owners) < MAX_OWNERS:
        one = found.pop(0)
        if (one.path, one.name) not in owners:
            owners[one.path, one.name] = one
            found += _types(view, read_bases(one.signature, one.name), one.path)
    return [one for one in owners.values() if one.path != view.path]


def _types(view: View, names: Sequence[str], seen_from: Path) -> list[Symbol]:
    """What these names mean in a file, if they are types."""
    found = view.index.definitions_of(list(names), seen_from) if names else ()
    return [symbol for symbol in found if symbol.kind in _HOLDERS]


def _members_of_modules(view: View, receiver: str) -> Iterator[Member]:
    """What a module that was imported under this name defines at its top."""
    for path in _modules(view, receiver):
        for one in view.index.symbols_of(path):
            if one.kind != "section" and path != view.path:
                yield "", one


def _modules(view: View, receiver: str) -> list[Path]:
    imports = read_imports(view.tree) if view.tree is not None else ()
    named = [
        (one.module, name)
        for one in imports
        for name in one.names or ("",)
        if receiver in (one.alias or name or one.module, one.module.rpartition("/")[2])
    ]
    return [path for module, name in named for path in view.index.files_of(module, name, view.path)]
