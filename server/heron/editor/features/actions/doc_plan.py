"""What a documentation has to say of a definition: one slot for each thing that needs words."""

import re
from dataclasses import dataclass
from typing import Literal

from heron.editor.features.actions.doc_style import DocStyle
from heron.editor.syntax.signatures import Definition

Role = Literal["summary", "parameter", "returns", "yields", "raises", "errors", "panics"]

_NOTHING = frozenset(("", "None", "void", "()", "undefined", "never", "NoReturn", "Never", "Promise<void>"))
_TAKEN = frozenset(("summary", "returns", "yields", "errors", "panics"))


@dataclass(frozen=True, slots=True)
class Slot:
    """Something to be described: `name` is a parameter's, an exception's, or empty; `type` as the code writes it."""

    role: Role
    name: str = ""
    type: str = ""

    @property
    def key(self) -> str:
        """What the slot is called in a model's answer: a parameter by its name, where that is free."""
        if self.role == "summary":
            return "summary"
        name = self.name.lstrip("*.")
        return name if self.role == "parameter" and name not in _TAKEN else f"{self.role} {name}".rstrip()


def plan_slots(definition: Definition, style: DocStyle) -> tuple[Slot, ...]:
    """The slots, in the order in which they are written."""
    summary = Slot("summary", definition.name)
    if definition.kind == "class" and not definition.parameters:
        return (summary,)
    parts = _rust_sections(definition) if style.form == "rustdoc" else ()
    if not style.sections:
        return (summary, *parts)
    parameters = tuple(Slot("parameter", item.star + item.name, item.type) for item in definition.parameters)
    if style.form == "rustdoc":
        return (summary, *parameters, *parts)
    raises = tuple(Slot("raises", name) for name in definition.raises if re.fullmatch(r"[\w.]+", name))
    return (summary, *parameters, *_result(definition), *raises)


def _result(definition: Definition) -> tuple[Slot, ...]:
    if definition.yields:
        return (Slot("yields", "", definition.returns),)
    if definition.returns in _NOTHING and (definition.returns or not definition.returns_value):
        return ()
    return (Slot("returns", "", definition.returns),)


def _rust_sections(definition: Definition) -> tuple[Slot, ...]:
    errors = (Slot("errors"),) if definition.returns.split("<")[0].endswith("Result") else ()
    return errors + ((Slot("panics"),) if definition.panics else ())
