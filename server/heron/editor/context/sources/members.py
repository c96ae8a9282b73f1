"""Members of what stands before the dot at the cursor: of a module, of a value's type, of the class around."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from heron.editor.context.index.symbol import Symbol
from heron.editor.context.index.words import split_name
from heron.editor.context.snippet import Snippet
from heron.editor.context.sources.chain import MAX_CHARACTERS, Step, read_chain_before
from heron.editor.context.sources.fitting import can_mean, remoteness
from heron.editor.context.sources.following import OWN, Follower
from heron.editor.context.sources.telling import can_follow, joint_before, tell_member
from heron.editor.context.sources.types import bases_around, read_bases, types_of
from heron.editor.context.view import View
from heron.editor.syntax.imports import read_imports_at

MAX_MEMBERS = 40
MAX_OWNERS = 6
_NAME = re.compile(r"[^\W\d]\w+")
_VERSION = re.compile(r"[/.]v\d+$")


def find_members(view: View) -> Iterable[Snippet]:
    """The members that may be meant, the likeliest first; none without a dot before the cursor."""
    end = view.document.offset(view.position)
    before = view.document.text[max(0, end - MAX_CHARACTERS) : end]
    chain, joint = read_chain_before(before), joint_before(before)
    receiver = view.scope.receiver or (chain[-1].name if chain else "")
    if not receiver or (view.tree is not None and view.tree.inside(view.position) == "comment"):
        return
    found = [*_members_of_values(view, receiver, chain)]
    if all(owner != receiver for owner, _ in found):  # a type that was imported is no module
        found += _members_of_modules(view, receiver)
    fitting = [one for one in _tell_apart(view, found) if can_follow(*one, joint, view.document.language)]
    for owner, one in order_members(view, fitting)[:MAX_MEMBERS]:
        text = tell_member(owner, one, joint)
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


def _members_of_values(view: View, receiver: str, chain: Sequence[Step]) -> Iterator[Member]:
    for owner in _owners(view, receiver, chain):
        inside = f"{owner.container}.{owner.name}".lstrip(".")
        members = view.index.symbols_of(owner.path, inside)
        yield from ((owner.name, one) for one in members if not one.name.startswith("__"))


def _owners(view: View, receiver: str, chain: Sequence[Step]) -> list[Symbol]:
    """The types the receiver may have with what they inherit from: as the document says, else called like it."""
    follower = Follower(view)
    found = _own_types(view, receiver, chain, follower)
    owners: dict[tuple[Path, str], Symbol] = {}
    while found and len(owners) < MAX_OWNERS:
        one = found.pop(0)
        if (one.path, one.name) not in owners:
            owners[one.path, one.name] = one
            found += follower.types(read_bases(one.signature, one.name), one.path)
    return [one for one in owners.values() if one.path != view.path]


def _own_types(view: View, receiver: str, chain: Sequence[Step], follower: Follower) -> list[Symbol]:
    *above, last = re.split(r"\.|::", receiver)
    if last in OWN and not above:
        return follower.types(bases_around(view.document, view.position), view.path)
    found = follower.follow(chain) or follower.types(types_of(view.document.text, last), view.path)
    alike = [last, "".join(part.capitalize() for part in split_name(last))]
    return found or follower.types(list(dict.fromkeys(alike)), view.path)


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
