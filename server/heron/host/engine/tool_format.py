"""How models write a call of a tool, by family: what a grammar makes them write and a parser reads."""

import json
from dataclasses import dataclass

from heron.wire import ToolCall, ToolFormatName

FENCE = "```"
MAX_CALLS = 8
"""Most calls of one answer; a small model that may go on does."""


@dataclass(frozen=True, slots=True)
class ToolFormat:
    """A call is `before`, a JSON object of the tool's name and arguments on one line, and `after`.

    A model that may but need not call writes text until `before` comes. Where that is empty, the whole of an answer
    is one call or text, and a call begins with a brace.
    """

    before: str
    after: str
    arguments_key: str
    between: str
    """What separates calls of one answer; empty where a model makes one call at a time."""


TAGS = ToolFormat("<tool_call>", "\n</tool_call>", "arguments", "\n")
"""Hermes' form: Qwen 2.5 and 3, SmolLM 3, and with a system text of ours whoever was taught no other."""
JSON = ToolFormat("", "", "parameters", "")
"""Llama 3's form: `{"name": ..., "parameters": ...}` and nothing else."""

_FORMATS: dict[ToolFormatName, ToolFormat] = {"tags": TAGS, "json": JSON}


def tool_format(name: ToolFormatName) -> ToolFormat:
    return _FORMATS[name]


def find_tool_format(template: str) -> ToolFormatName | None:
    """The format a chat template teaches its model; None for one without tools, or with a form we do not know."""
    if "tools" not in template:
        return None
    if "<tool_call>" in template and '"arguments"' in template.replace("\\", ""):
        return "tags"
    return "json" if "ipython" in template and '"parameters"' in template.replace("\\", "") else None


def call_start(form: ToolFormat, name: str) -> str:
    """A call up to where the JSON of its arguments begins."""
    line_break = "\n" if form.before else ""
    return f'{form.before}{line_break}{{"name": {_dump(name)}, "{form.arguments_key}": '


def call_end(form: ToolFormat) -> str:
    return "}" + form.after


def bare_start(form: ToolFormat, names: str) -> str:
    """Expression for a call without its marks, perhaps in a code fence, up to where its arguments begin.

    `names` is an expression for the names of tools: without one of them it is no call, but JSON somebody asked for.
    """
    return rf'({FENCE}(json)?\s*)?\{{\s*"name"\s*:\s*"({names})"\s*,\s*"{form.arguments_key}"\s*:'


def write_call(form: ToolFormat, call: ToolCall) -> str:
    """A call as the model would have written it; its arguments must be JSON."""
    return f"{call_start(form, call.name)}{_dump(json.loads(call.arguments))}{call_end(form)}"


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
