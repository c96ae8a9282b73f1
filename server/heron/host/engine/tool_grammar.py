"""The grammar of an answer that may, must or must not call tools: Lark, one rule a tool, in the order of the tools."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from heron.host.engine.grammar_source import json_rule, with_guidance
from heron.host.engine.tool_format import MAX_CALLS, ToolFormat, bare_start, call_end, call_start
from heron.wire import Grammar, ToolSpec

_FIRST_TOOL_LINE = 2
"""Lines of the Lark text before the first tool's rule."""
_LOOSE_STYLE = {"whitespace_pattern": r"[ \n]{0,40}"}
"""JSON as a model likes it, for who began in a form of its own; not without end."""


@dataclass(frozen=True, slots=True)
class CallRules:
    """Whether an answer must, may or must not call, which tools, and whether more than once.

    `content` is the JSON schema of an answer that calls none; None for any text.
    """

    use: Literal["must", "may", "never"]
    tools: tuple[ToolSpec, ...]
    parallel: bool = True
    content: dict[str, Any] | None = None


def tool_grammar(form: ToolFormat, rules: CallRules) -> Grammar | None:
    """What the answer must conform to, arguments by each tool's schema; None where any text will do."""
    if rules.use == "never":
        return _without_calls(form, rules.content)
    lines = ["%llguidance {}", *(_call_rule(form, index, tool) for index, tool in enumerate(rules.tools))]
    lines.append(f"body: {' | '.join(f'call_{index}' for index in range(len(rules.tools)))}")
    lines.append(f"calls: {_literal(form.before)} body {_more_calls(form, rules.parallel)}")
    if rules.use == "must":
        return Grammar("lark", "\n".join([*lines, "start: calls"]))
    return Grammar("lark", "\n".join([*lines, *_free_start(form, rules)]))


def tool_of_error(message: str, tools: Sequence[ToolSpec]) -> ToolSpec | None:
    """The tool whose rule an error about the grammar points to, by its line."""
    found = re.search(r"at (\d+)\(", message)
    index = int(found[1]) - _FIRST_TOOL_LINE if found else -1
    return tools[index] if 0 <= index < len(tools) else None


def _call_rule(form: ToolFormat, index: int, tool: ToolSpec) -> str:
    """One tool's call, without the mark that opens it."""
    start = call_start(form, tool.name).removeprefix(form.before)
    return f"call_{index}: {_literal(start)} {json_rule(json.loads(tool.parameters))} {_literal(call_end(form))}"


def _more_calls(form: ToolFormat, parallel: bool) -> str:
    return f"({_literal(form.between + form.before)} body){{0,{MAX_CALLS - 1}}}" if form.between and parallel else ""


def _free_start(form: ToolFormat, rules: CallRules) -> list[str]:
    """Text, or JSON by a schema, until a call is opened; after the calls nothing more comes."""
    if rules.content is not None:
        return ["start: calls | content", f"content: {json_rule(rules.content)}"]
    if not form.before:
        return ["start: calls | TEXT", r"TEXT: /(\s*[^\s{](.|\n)*)?/"]
    bare = " | ".join(f"bare_{index}" for index in range(len(rules.tools)))
    return [
        f"start: opening body {_more_calls(form, rules.parallel)} | {bare} | TEXT",
        f"opening[lazy]: TEXT {_literal(form.before)}",
        r"TEXT: /(.|\n)*/",
        r"BLANK: /[ \n]{1,40}/",
        r"BARE_END: /[ \n]{0,9}\}([ \n]{0,9}```)?/",
        *(line for index, tool in enumerate(rules.tools) for line in _bare_rules(form, index, tool)),
    ]


def _bare_rules(form: ToolFormat, index: int, tool: ToolSpec) -> list[str]:
    """A call without its marks, as Qwen's coder models write it: known by the tool's name, constrained from there."""
    begin = bare_start(form, re.escape(tool.name)).replace("/", r"\/")
    arguments = json.dumps(with_guidance(json.loads(tool.parameters), _LOOSE_STYLE))
    return [
        f"bare_{index}: bare_start_{index} BLANK? %json {arguments} BARE_END",
        f"bare_start_{index}[lazy]: /(.|\\n)*{begin}/",
    ]


def _without_calls(form: ToolFormat, content: dict[str, Any] | None) -> Grammar | None:
    if content is not None:
        return Grammar("json_schema", json.dumps(content))
    if not form.before:
        return None
    mark = re.escape(form.before)
    return Grammar("lark", f"start: TEXT\nTEXT: /(.|\\n)*/ & ~/(.|\\n)*{mark}(.|\\n)*/")


def _literal(text: str) -> str:
    return json.dumps(text) if text else ""
