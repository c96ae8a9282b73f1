"""A tool's arguments as a frozen dataclass: its JSON schema, and instances from checked JSON.

The class's docstring is the tool's description, `argument` gives each field its sentence and its limits.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from heron.errors import InvalidRequest

A = TypeVar("A")
_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean"}


def argument(help: str, *, default: Any = dataclasses.MISSING, minimum: int | None = None) -> Any:
    """A field with its sentence for the model, and the least number that is allowed."""
    return dataclasses.field(default=default, metadata={"help": help, "minimum": minimum})


def arguments_schema(kind: type) -> dict[str, Any]:
    """JSON schema of a dataclass of arguments; fields without a default are required."""
    hints = get_type_hints(kind)
    fields = dataclasses.fields(kind)
    return {
        "type": "object",
        "properties": {item.name: _field_schema(hints[item.name], item) for item in fields},
        "required": [item.name for item in fields if item.default is dataclasses.MISSING],
        "additionalProperties": False,
    }


def build_arguments(kind: type[A], values: Mapping[str, Any]) -> A:
    """An instance from values that conform to the class's schema."""
    hints = get_type_hints(kind)
    return kind(**{name: _convert(hints[name], value) for name, value in values.items()})


def _field_schema(hint: Any, item: "dataclasses.Field[Any]") -> dict[str, Any]:
    minimum = item.metadata["minimum"]
    limit = {} if minimum is None else {"minimum": minimum}
    return _type_schema(hint) | limit | {"description": item.metadata["help"]}


def _type_schema(hint: Any) -> dict[str, Any]:
    if get_origin(hint) is Literal:
        return {"enum": list(get_args(hint))}
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _type_schema(get_args(hint)[0])}
    if hint not in _TYPES:
        raise InvalidRequest(f"An argument cannot be of type {hint!r}; allowed: {', '.join(_TYPES.values())}, array.")
    return {"type": _TYPES[hint]}


def _convert(hint: Any, value: Any) -> Any:
    if get_origin(hint) is tuple:
        return tuple(_convert(get_args(hint)[0], item) for item in value)
    # JSON schema takes 2.0 for an integer.
    return hint(value) if hint in (int, float) else value
