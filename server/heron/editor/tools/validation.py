"""Strict checks: of a tool when it is registered, and of a call's arguments against the tool's JSON schema."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from heron.editor.tools.tool import Tool
from heron.errors import InvalidRequest

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

MAX_NAME_CHARS = 64
MAX_DESCRIPTION_CHARS = 2_000
MAX_SCHEMA_CHARS = 50_000
MAX_ARGUMENTS_CHARS = 400_000
MAX_TOLD = 3
"""Faults told at once; a small model mends few at a time."""
PATTERN_TIMEOUT_S = 0.2
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)?")
_VALUE_CHARS = 80

Check = Callable[[str], dict[str, Any]]
"""From the arguments' JSON text to the arguments; raises `InvalidRequest`."""


def check_tool(tool: Tool) -> Check:
    """What checks the tool's arguments; `InvalidRequest` names what is wrong with the tool itself."""
    name, limits = tool.spec.name, tool.limits
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME_CHARS:
        raise InvalidRequest(f"Tool name {name[:MAX_NAME_CHARS]!r}: letters, digits, _ and - are allowed, and one dot.")
    if not tool.spec.description.strip() or len(tool.spec.description) > MAX_DESCRIPTION_CHARS:
        raise InvalidRequest(f"Tool {name}: its description must have 1 to {MAX_DESCRIPTION_CHARS} characters.")
    if not (limits.time_s > 0 and limits.output_chars > 0):
        raise InvalidRequest(f"Tool {name}: its limits must be above 0, not {limits}.")
    if tool.consent not in ("free", "ask", "ask_each", "off"):
        raise InvalidRequest(f"Tool {name}: consent {tool.consent!r} is not one of free, ask, ask_each, off.")
    schema = _parse_schema(name, tool.spec.parameters)
    validator = _make_validator(name, schema)
    return lambda text: _check_arguments(text, schema, validator)


def _parse_schema(name: str, text: str) -> dict[str, Any]:
    if len(text) > MAX_SCHEMA_CHARS:
        raise InvalidRequest(f"Tool {name}: its parameters' schema is longer than {MAX_SCHEMA_CHARS} characters.")
    schema = _parse_object(text, f"Tool {name}: its parameters' schema")
    if schema.get("type") != "object":
        raise InvalidRequest(f"Tool {name}: its parameters must be a schema of type object.")
    return schema


def _make_validator(name: str, schema: dict[str, Any]) -> "Validator":
    from jsonschema import Draft202012Validator, SchemaError, validators
    from referencing import Registry
    from referencing.jsonschema import EMPTY_REGISTRY

    registry: Registry[Any] = EMPTY_REGISTRY  # references to elsewhere are never fetched
    kind = validators.extend(Draft202012Validator, {"pattern": _check_pattern})
    try:
        kind.check_schema(schema)
        made: Validator = kind(schema, registry=registry)
        list(made.iter_errors({}))  # finds references that lead nowhere
    except SchemaError as error:
        raise InvalidRequest(f"Tool {name}: its parameters are no JSON schema: {_shorten(error.message)}") from error
    except Exception as error:
        raise InvalidRequest(f"Tool {name}: its parameters' schema cannot be used: {_shorten(str(error))}") from error
    return made


def _check_arguments(text: str, schema: Mapping[str, Any], validator: "Validator") -> dict[str, Any]:
    if len(text) > MAX_ARGUMENTS_CHARS:
        raise InvalidRequest(f"The arguments are longer than {MAX_ARGUMENTS_CHARS} characters.")
    arguments = _parse_object(text or "{}", "The arguments")
    try:
        faults = sorted(validator.iter_errors(arguments), key=lambda fault: list(map(str, fault.absolute_path)))
    except Exception as error:  # references that only some values reach, nesting without end
        raise InvalidRequest(f"The arguments cannot be checked: {_shorten(str(error))}") from error
    if faults:
        told = "; ".join(_describe_fault(list(fault.absolute_path), fault.message) for fault in faults[:MAX_TOLD])
        raise InvalidRequest(f"Wrong arguments: {told}.", hint=f"Known: {_describe_parameters(schema)}.")
    return arguments


def _parse_object(text: str, what: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"{what} is not valid JSON: {_shorten(str(error))}.") from error
    if not isinstance(value, dict):
        raise InvalidRequest(f"{what} must be a JSON object, not {_shorten(json.dumps(value))}.")
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _check_pattern(_: "Validator", pattern: str, value: Any, __: Any) -> "Iterator[Any]":
    """The keyword `pattern`, with a time limit: patterns of foreign schemas may never end."""
    import regex
    from jsonschema import ValidationError

    try:
        if isinstance(value, str) and not regex.search(pattern, value, timeout=PATTERN_TIMEOUT_S):
            yield ValidationError(f"{_shorten(repr(value))} does not match {pattern!r}")
    except (TimeoutError, regex.error):
        yield ValidationError(f"{_shorten(repr(value))} could not be matched with {pattern!r}")


def _describe_fault(place: list[Any], message: str) -> str:
    where = ".".join(map(str, place))
    return f"{where}: {_shorten(message)}" if where else _shorten(message)


def _describe_parameters(schema: Mapping[str, Any]) -> str:
    required = schema.get("required", [])
    properties = schema.get("properties", {})
    told = [_describe_parameter(name, table, name in required) for name, table in properties.items()]
    return ", ".join(told) or "no parameters"


def _describe_parameter(name: str, table: Any, is_required: bool) -> str:
    kind = table.get("type") or "any" if isinstance(table, dict) else "any"
    return f"{name} ({kind}{', required' if is_required else ''})"


def _shorten(text: str) -> str:
    return text if len(text) <= _VALUE_CHARS * 2 else f"{text[:_VALUE_CHARS]}…{text[-_VALUE_CHARS:]}"
