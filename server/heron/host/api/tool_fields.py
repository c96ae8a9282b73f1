"""The fields of OpenAI's API that constrain an answer: tools, response formats, and Heron's own `grammar`."""

import json
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainValidator

from heron.host.api.fields import Body, Text, check_text

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def check_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError("must be 1 to 64 letters, digits, '_', '.' or '-'")
    return value


def check_arguments(value: str) -> str:
    """The arguments of a call in the history: OpenAI has them as a text that holds a JSON object."""
    try:
        parsed = json.loads(check_text(value) or "{}")
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise ValueError("must be the text of a JSON object")
    return value or "{}"


def check_schema(value: Any) -> dict[str, Any]:
    """A JSON schema, as far as one can tell without a compiler: an object without unpaired surrogates."""
    if not isinstance(value, dict):
        raise ValueError("must be an object, a JSON schema")
    check_text(json.dumps(value, ensure_ascii=False))
    return value


Name = Annotated[str, AfterValidator(check_name)]
Arguments = Annotated[str, AfterValidator(check_arguments)]
Schema = Annotated[dict[str, Any], PlainValidator(check_schema, json_schema_input_type=dict[str, Any])]


class CalledFunction(Body):
    name: Name
    arguments: Arguments = "{}"


class CallBody(Body):
    """A call the assistant made earlier in the conversation."""

    id: Text
    type: Literal["function"] = "function"
    function: CalledFunction


class FunctionBody(Body):
    name: Name
    description: Text | None = None
    parameters: Schema | None = None
    strict: bool | None = None


class ToolBody(Body):
    type: Literal["function"]
    function: FunctionBody


@dataclass(frozen=True, slots=True)
class NamedTool:
    """A `tool_choice` that names the function to call."""

    name: str


ToolChoice = Literal["none", "auto", "required"] | NamedTool


def parse_choice(value: Any) -> ToolChoice | None:
    if value in (None, "none", "auto", "required"):
        choice: ToolChoice | None = value
        return choice
    function = value.get("function") if isinstance(value, dict) and value.get("type") == "function" else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise ValueError("must be 'none', 'auto', 'required' or {'type': 'function', 'function': {'name': ...}}")
    return NamedTool(check_text(function["name"]))


ToolChoiceField = Annotated[
    ToolChoice | None, PlainValidator(parse_choice, json_schema_input_type=str | dict[str, Any] | None)
]


class SchemaBody(Body):
    """`strict` refuses a schema with keywords that cannot be enforced; without it they are passed over."""

    name: Text | None = None
    description: Text | None = None
    schema_: Annotated[Schema | None, Field(alias="schema")] = None
    strict: bool | None = None


class ResponseFormatBody(Body):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: SchemaBody | None = None


class GrammarBody(Body):
    """What the answer must conform to; `text` is the schema, expression, Lark grammar or structural tags."""

    kind: Literal["json_object", "json_schema", "regex", "lark", "structural_tag"]
    text: Text = ""
