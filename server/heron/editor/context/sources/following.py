"""Which types of the workspace an expression may have: followed from its first name by fields and what calls return."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from heron.editor.context.index.symbol import Symbol
from heron.editor.context.sources.chain import Step, read_chain
from heron.editor.context.sources.types import bases_around, lines_naming, read_value_type, types_of
from heron.editor.context.view import View

HOLDERS = frozenset({"class", "interface", "struct", "trait", "enum", "type"})
OWN = frozenset({"self", "this", "cls", "super"})
MAX_QUESTIONS = 24
"""Questions to the index for one cursor: someone waits."""
MAX_STEPS, MAX_DEPTH = 5, 3
MAX_OWNERS = 4
MAX_VALUES = 3
"""Assignments to one variable that are looked at, the last ones."""
MAX_TOLD = 4
"""Names in one type that are looked up."""
_WORD = re.compile(r"[^\W\d]\w*")
_COMMON = frozenset(
    ("Result", "Option", "Error", "Vec", "Box", "Arc", "Rc", "Self", "error", "str", "Iterator", "Future")
)
_PASSING = frozenset(
    (
        *("unwrap", "expect", "clone", "as_ref", "as_mut", "borrow", "borrow_mut", "lock", "iter"),
        *("iter_mut", "into_iter", "next", "first", "last", "get", "get_mut", "take", "pop"),
        *("ok", "cloned", "copied", "to_owned", "read", "write", "new", "default", "copy"),
    )
)
"""Methods of standard libraries that give the value they are called on, or one that it holds."""
_STATEMENT = re.compile(r"[^\n]*(?:\n\s*\??\.[^\n]*){0,6}")
_BEFORE_VALUE = re.compile(r"^(?:&|mut |await |new |\*)+")
_BEHIND_VALUE = re.compile(r"\s*(?:\{|else\b.*|\)?:)\s*$")


class Follower:
    """Looks for types on behalf of one cursor; finds none where the way is lost, or after too many questions."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._left = MAX_QUESTIONS

    def follow(self, chain: Sequence[Step], depth: int = 0) -> list[Symbol]:
        """The types that the value of a chain may have, the likeliest first."""
        if not chain or len(chain) > MAX_STEPS or depth > MAX_DEPTH:
            return []
        owners = self._begin(chain[0], depth)
        for step in chain[1:]:
            owners = self._go_on(owners, step)
        return owners[:MAX_OWNERS]

    def types(self, names: Sequence[str], seen_from: Path) -> list[Symbol]:
        """What names mean in a file, if they are types."""
        return [symbol for symbol in self._definitions(names, seen_from) if symbol.kind in HOLDERS]

    def _begin(self, step: Step, depth: int) -> list[Symbol]:
        """The types of a name that stands alone: the class around, what a function returns, a type, a variable."""
        view = self._view
        if step.name in OWN or step.name == "Self":
            return self.types(bases_around(view.document, view.position), view.path)
        if step.is_called or step.name[:1].isupper():
            found = self._definitions([step.name], view.path)
            made = [one for one in found if one.kind == "function"] if step.is_called else []
            told = [owner for one in made[:2] for owner in self._told(one)]
            if told := told or [one for one in found if one.kind in HOLDERS]:
                return told
        if step.is_called:
            return []
        told = self.types(types_of(view.document.text, step.name), view.path)
        return told or [owner for chain in self._values(step.name) for owner in self.follow(chain, depth + 1)]

    def _values(self, name: str) -> Iterator[tuple[Step, ...]]:
        """What a variable was assigned, taken out of or run through above the cursor; the last first."""
        above = self._view.document.text[: self._view.document.offset(self._view.position)]
        form = _assignment_of(name)
        statements = (_STATEMENT.match(above, start) for start, _ in lines_naming(above, name))
        found = (match for one in statements if one and (match := form.search(one.group())))
        for match in islice(found, MAX_VALUES):
            value = _BEFORE_VALUE.sub("", (match[1] or match[2] or "").strip())
            if chain := read_chain(_BEHIND_VALUE.sub("", value)):
                yield chain

    def _go_on(self, owners: Sequence[Symbol], step: Step) -> list[Symbol]:
        """The types of a member of some types."""
        for owner in owners:
            inside = f"{owner.container}.{owner.name}".lstrip(".")
            members = self._view.index.symbols_of(owner.path, inside, [step.name]) if self._may_ask() else ()
            for one in members:
                if found := self._told(one, owner):
                    return found
        return list(owners) if step.name in _PASSING and self._left >= 0 else []

    def _told(self, one: Symbol, owner: Symbol | None = None) -> list[Symbol]:
        """The types a definition says its value has, or what a call of it returns, in the order it names them."""
        told = read_value_type(one.signature, one.name)
        names = [name for name in dict.fromkeys(_WORD.findall(told)) if name not in _COMMON][:MAX_TOLD]
        found = sorted(self.types(names, one.path), key=lambda symbol: names.index(symbol.name))
        is_own = owner is not None and re.search(r"\b(?:Self|this)\b", told)
        return [owner, *found] if owner is not None and is_own else found

    def _definitions(self, names: Sequence[str], seen_from: Path) -> Sequence[Symbol]:
        return self._view.index.definitions_of(names, seen_from) if names and self._may_ask() else ()

    def _may_ask(self) -> bool:
        self._left -= 1
        return self._left >= 0


def _assignment_of(name: str) -> re.Pattern[str]:
    """Where a variable gets its value, or runs through one; the value is a group."""
    own = re.escape(name)
    taken = rf"\b(?:Some|Ok|Err)\((?:ref\s+|mut\s+)*{own}\)"
    assigned = rf"(?:\b{own}\b(?:\s*:[^=\n]*)?|{taken})\s*(?:,\s*\w+\s*)?:?=(?!=)\s*([^;\n]*(?:\n\s*\.[^;\n]*)*)"
    run = rf"\bfor\s*\(?(?:const |let |mut |_, |\w+, )*&?{own}\s*(?:in|of|:?= range)\s+([^{{\n]*)"
    return re.compile(f"{assigned}|{run}")
