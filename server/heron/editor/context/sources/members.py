"""Members of what stands before the dot at the cursor: of a module, of a value's type, of the class around."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from heron.editor.context.index.symbol import Symbol
from heron.editor.context.index.words import split_name
from heron.editor.context.snippet import Snippet
from heron.editor.context.sources.fitting import can_mean, remoteness, shorten
from heron.editor.context.sources.types import bases_around, read_bases, types_of
from heron.editor.context.view import View
from heron.editor.syntax.imports import read_imports_at

MAX_MEMBERS = 40
MAX_OWNERS = 6
_HOLDERS = frozenset({"class", "interface", "struct", "trait", "enum", "type"})
_NAME = re.compile(r"[^\W\d]\w+")
_VERSION = re.compile(r"[/.]v\d+$")
_OWN = frozenset({"self", "this", "cls", "super"})


def find_members(view: View) -> Iterable[Snippet]:
    """Signatures of the members that may be meant, the likeliest first; none without a dot at the cursor."""
    receiver = view.scope.receiver
    if not receiver:
        return
    found = [*_members_of_values(view, receiver), *_members_of_modules(view, receiver)]
    for owner, one in order_members(view, _tell_apart(view, found))[:MAX_MEMBERS]:
        text = shorten(f"{owner}.{one.name}: {one.signature}" if owner else one.signature)
        yield Snippet("members", one.path, one.range.start.line, one.range.end.line + 1, text)


Member = tuple[str, Symbol]
"""With the name of its type; empty for what a module has."""


def _tell_apart(view: View, found: Iterable[Member]) -> list[Member]:
    """Each name once, as overloads cost as much as other members; none that the document could not mean."""
    members: dict[tuple[str, str], Member] = {}
    for owner, one in found:
        if can_mean(view, one):
            members.setdefault((owner, one.name), (owner, one))
    return list(members.values())


def order_members(view: View, found: Sequence[Member]) -> list[Member]:
    """What can be called before values, types last, public before private, and what shares more words with code around.

    The words of the cursor's own line count twice.
    """
    line = view.document.line(view.position.line)[: view.position.column]
    here, near = set(_parts(_NAME.findall(line))), set(_parts(view.scope.names[:MAX_MEMBERS]))

    def unlikeliness(member: Member) -> tuple[int, bool, int]:
        one = member[1]
        parts = set(split_name(one.name))
        shared = 2 * len(parts & here) + len(parts & near - here)
        return remoteness(one), one.name.startswith("_"), -shared

    return sorted(found, key=unlikeliness)


def _parts(names: Iterable[str]) -> Iterator[str]:
    return (part for name in names for part in split_name(name))


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
        told = types_of(view.document.text, last)
        alike = [last, "".join(part.capitalize() for part in split_name(last))]
        found = _types(view, list(dict.fromkeys([*told, *alike])), view.path)
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
    imports = read_imports_at(view.tree, view.position) if view.tree is not None else ()
    named = [
        (one.module, name)
        for one in imports
        for name in one.names or ("",)
        if receiver in (one.alias or name or one.module, _package(one.module))
    ]
    return [path for module, name in named for path in view.index.files_of(module, name, view.path)]


def _package(module: str) -> str:
    """What a package is called whose path this is. Go leaves out the version: `a/b/v2`, `gopkg.in/b.v2`."""
    return _VERSION.sub("", module).rpartition("/")[2]
