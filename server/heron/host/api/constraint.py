"""What a request's tools, response format and grammar ask of the answer, and errors in the words of the client."""

import json
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Literal

from heron.errors import InvalidRequest
from heron.host.api.tool_fields import FunctionBody, GrammarBody, NamedTool, ResponseFormatBody, SchemaBody, ToolChoice
from heron.host.engine.grammar_source import with_guidance
from heron.host.engine.tool_format import ToolFormat, tool_format
from heron.host.engine.tool_grammar import CallRules, tool_grammar, tool_of_error
from heron.wire import Delta, Grammar, ModelInfo, ToolSpec

_NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}}
Param = Literal["grammar", "response_format", "tools"]


@dataclass(frozen=True, slots=True)
class Wishes:
    """The fields of a request that constrain its answer."""

    functions: tuple[FunctionBody, ...] = ()
    choice: ToolChoice | None = None
    parallel: bool = True
    response_format: ResponseFormatBody | None = None
    grammar: GrammarBody | None = None


@dataclass(frozen=True, slots=True)
class Constraint:
    """What the engine is asked for. `calls` is how calls are written where the answer may hold some; `param` is the
    field that an error in the grammar is about."""

    grammar: Grammar | None = None
    tools: tuple[ToolSpec, ...] = ()
    calls: ToolFormat | None = None
    param: Param = "grammar"


def make_constraint(wishes: Wishes, model: ModelInfo) -> Constraint:
    """Raises InvalidRequest for wishes that contradict each other or that the model cannot meet."""
    schema = _content_schema(wishes.response_format)
    if wishes.grammar is not None:
        return _own_grammar(wishes, wishes.grammar)
    if not wishes.functions:
        if wishes.choice not in (None, "none", "auto"):
            raise InvalidRequest("tool_choice: it needs tools to choose from.", param="tool_choice")
        return Constraint(_json_grammar(schema), param="response_format")
    if not model.supports_tools:
        raise InvalidRequest(f"tools: the model {model.id!r} cannot call tools.", param="tools")
    return _with_tools(wishes, schema, tool_format(model.tool_format))


async def in_clients_words(deltas: AsyncGenerator[Delta, None], constraint: Constraint) -> AsyncGenerator[Delta, None]:
    """The deltas; an error about the grammar made of a client's fields names the field and the tool."""
    try:
        async with aclosing(deltas):
            async for delta in deltas:
                yield delta
    except InvalidRequest as error:
        if error.param != "grammar" or constraint.param == "grammar":
            raise
        raise _reword(error, constraint) from None


def _own_grammar(wishes: Wishes, grammar: GrammarBody) -> Constraint:
    format_kind = wishes.response_format.type if wishes.response_format else "text"
    if wishes.functions or format_kind != "text":
        raise InvalidRequest("grammar: it excludes tools and response_format.", param="grammar")
    return Constraint(Grammar(grammar.kind, grammar.text))


def _with_tools(wishes: Wishes, schema: dict[str, Any] | None, form: ToolFormat) -> Constraint:
    tools = tuple(_tool_spec(function) for function in wishes.functions)
    names = [tool.name for tool in tools]
    for name in names:
        if names.count(name) > 1:
            raise InvalidRequest(f"tools: the name {name!r} is given twice.", param="tools")
    enforced = tuple(map(_enforced, wishes.functions, tools))
    rules = _call_rules(wishes, enforced, schema)
    calls = None if rules.use == "never" else form
    return Constraint(tool_grammar(form, rules), tools, calls, "response_format" if calls is None else "tools")


def _call_rules(wishes: Wishes, tools: tuple[ToolSpec, ...], schema: dict[str, Any] | None) -> CallRules:
    match wishes.choice:
        case "none":
            return CallRules("never", tools, content=schema)
        case "auto" | None:
            return CallRules("may", tools, wishes.parallel, schema)
        case "required":
            return CallRules("must", tools, wishes.parallel)
        case NamedTool(name=name):
            named = tuple(tool for tool in tools if tool.name == name)
            if not named:
                allowed = ", ".join(tool.name for tool in tools)
                message = f"tool_choice: there is no tool {name!a}; there are {allowed}."
                raise InvalidRequest(message, param="tool_choice")
            return CallRules("must", named, parallel=False)


def _tool_spec(function: FunctionBody) -> ToolSpec:
    schema = function.parameters or _NO_PARAMETERS
    if schema.get("type", "object") != "object":
        raise InvalidRequest(f"tools: {function.name}: the type of parameters must be 'object'.", param="tools")
    return ToolSpec(function.name, function.description or "", json.dumps(schema, ensure_ascii=False))


def _enforced(function: FunctionBody, tool: ToolSpec) -> ToolSpec:
    """What the grammar holds a call to. Arguments that a schema lists without a word on others are all there are:
    small models invent more."""
    schema = {"type": "object"} | json.loads(tool.parameters)
    if "properties" in schema and not {"additionalProperties", "patternProperties"} & set(schema):
        schema["additionalProperties"] = False
    return replace(tool, parameters=json.dumps(_with_leniency(schema, function.strict), ensure_ascii=False))


def _content_schema(wanted: ResponseFormatBody | None) -> dict[str, Any] | None:
    if wanted is None or wanted.type == "text":
        return None
    if wanted.type == "json_object":
        return {"type": "object"}
    body = wanted.json_schema or SchemaBody()
    if body.schema_ is None:
        raise InvalidRequest("response_format: json_schema.schema is missing.", param="response_format")
    return _with_leniency(body.schema_, body.strict)


def _json_grammar(schema: dict[str, Any] | None) -> Grammar | None:
    return None if schema is None else Grammar("json_schema", json.dumps(schema, ensure_ascii=False))


def _with_leniency(schema: dict[str, Any], strict: bool | None) -> dict[str, Any]:
    """Keywords that llguidance does not know are passed over unless the client is strict."""
    return schema if strict else with_guidance(schema, {"lenient": True})


def _reword(error: InvalidRequest, constraint: Constraint) -> InvalidRequest:
    """The places it names are in our grammar, not in anything the client sent: a tool's name says more."""
    tool = tool_of_error(error.message, constraint.tools) if constraint.param == "tools" else None
    place = f"{constraint.param}: {tool.name}: " if tool else f"{constraint.param}: "
    reason = re.sub(r"^at \d+\(\d+\): ", "", error.message.removeprefix("grammar: "))
    return InvalidRequest(place + reason, param=constraint.param, hint=error.hint)
