"""What a chat template sees of a conversation: OpenAI's shapes, or plain turns where it knows no tools."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from heron.host.engine.tool_format import TAGS, write_call
from heron.wire import ChatPrompt, Message, ToolCall, ToolFormatName, ToolSpec

Shielding = Callable[[str], str]
"""What is done to every text a client wrote, so that no special token can be read in it."""

_TOOLS_TEXT = """You can call tools. To call one, answer only with
<tool_call>
{"name": "<tool>", "arguments": {<by its parameters>}}
</tool_call>
Tools:
"""


@dataclass(frozen=True, slots=True)
class ChatView:
    """The variables of a template; `tools` is None where there are none, as templates expect it."""

    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] | None = None


def view_chat(prompt: ChatPrompt, shield: Shielding, form: ToolFormatName | None) -> ChatView:
    """A conversation for a template that writes tool calls in `form`; without one, tools become text of our own."""
    if form is None:
        return ChatView(_plain_turns(prompt, shield))
    turns = [_turn(message, shield) for message in prompt.messages]
    return ChatView(turns, [_tool_object(tool, shield) for tool in prompt.tools] or None)


def _turn(message: Message, shield: Shielding) -> dict[str, Any]:
    turn: dict[str, Any] = {"role": message.role, "content": shield(message.content)}
    if message.tool_calls:
        turn["tool_calls"] = [_call_object(call, shield) for call in message.tool_calls]
    if message.tool_call_id:
        turn["tool_call_id"] = shield(message.tool_call_id)
    return turn


def _call_object(call: ToolCall, shield: Shielding) -> dict[str, Any]:
    arguments = _shield_all(json.loads(call.arguments), shield)
    function = {"name": shield(call.name), "arguments": arguments}
    return {"id": shield(call.id), "type": "function", "function": function}


def _tool_object(tool: ToolSpec, shield: Shielding) -> dict[str, Any]:
    function = {
        "name": shield(tool.name),
        "description": shield(tool.description),
        "parameters": _shield_all(json.loads(tool.parameters), shield),
    }
    return {"type": "function", "function": function}


def _shield_all(value: Any, shield: Shielding) -> Any:
    """JSON with every text in it shielded, keys too."""
    if isinstance(value, str):
        return shield(value)
    if isinstance(value, list):
        return [_shield_all(item, shield) for item in value]
    if isinstance(value, dict):
        return {shield(key): _shield_all(item, shield) for key, item in value.items()}
    return value


def _plain_turns(prompt: ChatPrompt, shield: Shielding) -> list[dict[str, Any]]:
    """Turns of system, user and assistant only: calls as text, results as a user's, tools after the system's text."""
    turns: list[dict[str, Any]] = []
    for message in prompt.messages:
        role, content = _plain_message(message, shield)
        if message.role == "tool" and turns and turns[-1]["role"] == "user":
            turns[-1]["content"] += f"\n{content}"
        else:
            turns.append({"role": role, "content": content})
    return _with_tools(turns, prompt.tools, shield) if prompt.tools else turns


def _plain_message(message: Message, shield: Shielding) -> tuple[str, str]:
    content = shield(message.content)
    if message.role == "tool":
        return "user", f"<tool_response>\n{content}\n</tool_response>"
    calls = [_write_shielded(call, shield) for call in message.tool_calls]
    return message.role, "\n".join([*([content] if content else []), *calls]) if calls else content


def _write_shielded(call: ToolCall, shield: Shielding) -> str:
    arguments = json.dumps(_shield_all(json.loads(call.arguments), shield), ensure_ascii=False)
    return write_call(TAGS, ToolCall(call.id, shield(call.name), arguments))


def _with_tools(turns: list[dict[str, Any]], tools: Sequence[ToolSpec], shield: Shielding) -> list[dict[str, Any]]:
    listed = [_tool_object(tool, shield)["function"] for tool in tools]
    text = _TOOLS_TEXT + "\n".join(json.dumps(tool, ensure_ascii=False) for tool in listed)
    if turns[0]["role"] != "system":
        return [{"role": "system", "content": text}, *turns]
    return [{"role": "system", "content": f"{turns[0]['content']}\n\n{text}"}, *turns[1:]]
