"""Grammars of the API in the forms llguidance reads: Lark text, or JSON around a schema or expression."""

import json
from typing import Any

from heron.errors import InvalidRequest
from heron.wire import Grammar

MAX_GRAMMAR_CHARS = 200_000

JSON_STYLE = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
"""How JSON is written: on one line, as `json.dumps` does. What is left open, a small model fills with blanks for ever;
what is fixed need not be computed. A schema may say otherwise in its `x-guidance`."""

_LONGEST = {"time": 24, "date-time": 40, "duration": 40, "email": 254, "hostname": 253}
"""Most characters of a string of a format, where its schema does not say."""
_TEXT = r"TEXT: /(.|\n)*/"


def check_size(grammar: Grammar) -> None:
    """Refuse a grammar whose text is too long to look at."""
    if len(grammar.text) > MAX_GRAMMAR_CHARS:
        raise _refuse(f"it has {len(grammar.text)} characters; at most {MAX_GRAMMAR_CHARS} are allowed")


def grammar_source(grammar: Grammar) -> str:
    """What llguidance compiles. Raises InvalidRequest for text that is not JSON where it must be."""
    from llguidance import LLMatcher

    match grammar.kind:
        case "json_object":
            return _schema_source({"type": "object"})
        case "json_schema":
            return _schema_source(_parse(grammar.text, "a JSON schema"))
        case "regex":
            return LLMatcher.grammar_from_regex(grammar.text)
        case "lark":
            return LLMatcher.grammar_from_lark(grammar.text)
        case "structural_tag":
            return structural_tag_source(_parse(grammar.text, "structural tags"))


def _schema_source(schema: Any) -> str:
    from llguidance import LLMatcher

    try:
        return LLMatcher.grammar_from_json_schema(json.dumps(_styled(schema)))
    except ValueError as error:  # nested too deeply, or a number no float holds
        raise _refuse(f"it is not a JSON schema: {error}") from None


def structural_tag_source(tags: Any) -> str:
    """Lark for free text in which a trigger opens one of the tags, each a `begin`, JSON by a schema, and an `end`.

    The form is xgrammar's, which vLLM's API takes too: `{"structures": [{"begin", "schema", "end"}], "triggers"}`.
    """
    structures, triggers = _read_tags(tags)
    rules = [f"start: ({' | '.join(f'tag_{index}' for index in range(len(structures)))})* tail", "tail: TEXT", _TEXT]
    for index, structure in enumerate(structures):
        begin, trigger = structure["begin"], _find_trigger(structure["begin"], triggers)
        body = f"{_literal(begin[len(trigger) :])} {json_rule(structure['schema'])} {_literal(structure['end'])}"
        rules += [f"head_{index}[lazy]: TEXT {_literal(trigger)}", f"tag_{index}: head_{index} {body}"]
    return "\n".join(["%llguidance {}", *rules])


def json_rule(schema: Any) -> str:
    """Lark for JSON by a schema, written in our style unless the schema says otherwise."""
    return f"%json {json.dumps(_styled(schema))}"


def with_guidance(schema: Any, options: dict[str, Any]) -> Any:
    """A schema with options for llguidance that it does not set itself."""
    own = schema.get("x-guidance", {}) if isinstance(schema, dict) else None
    return {**schema, "x-guidance": options | own} if isinstance(own, dict) else schema


def _styled(schema: Any) -> Any:
    schema = _bounded(schema)
    own = schema.get("x-guidance") if isinstance(schema, dict) else None
    has_style = isinstance(own, dict) and any(option.startswith("whitespace") for option in own)
    return schema if has_style else with_guidance(schema, JSON_STYLE)


def _bounded(schema: Any) -> Any:
    """A schema whose formats cannot go on for ever: RFC 3339 allows any number of digits after a second."""
    if isinstance(schema, list):
        return [_bounded(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    bounded = {key: value if key in ("const", "enum") else _bounded(value) for key, value in schema.items()}
    form = schema.get("format")
    return {"maxLength": _LONGEST[form]} | bounded if isinstance(form, str) and form in _LONGEST else bounded


def _read_tags(tags: Any) -> tuple[list[dict[str, Any]], list[str]]:
    structures = tags.get("structures") if isinstance(tags, dict) else None
    triggers = tags.get("triggers") if isinstance(tags, dict) else None
    if not isinstance(structures, list) or not structures or not all(map(_is_structure, structures)):
        raise _refuse("'structures' must be a list of objects with 'begin', 'schema' and 'end'")
    if not isinstance(triggers, list) or not all(isinstance(trigger, str) and trigger for trigger in triggers):
        raise _refuse("'triggers' must be a list of strings")
    return structures, triggers


def _is_structure(value: Any) -> bool:
    texts = isinstance(value, dict) and all(isinstance(value.get(key), str) for key in ("begin", "end"))
    return texts and isinstance(value.get("schema"), dict | bool)


def _find_trigger(begin: str, triggers: list[str]) -> str:
    for trigger in triggers:
        if begin.startswith(trigger):
            return trigger
    raise _refuse(f"no trigger begins {begin!a}")


def _literal(text: str) -> str:
    return json.dumps(text) if text else ""


def _parse(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refuse(f"it is not {what}: {error}") from None


def _refuse(reason: str) -> InvalidRequest:
    return InvalidRequest(f"grammar: {reason}.", param="grammar")
