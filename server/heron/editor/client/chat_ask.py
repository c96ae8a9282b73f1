"""What is asked of a chat model, and how OpenAI's API writes it."""

import json
from dataclasses import dataclass
from typing import Any

from heron.wire import Message, Priority, ToolSpec

_CHOICES = ("none", "auto", "required")


@dataclass(frozen=True, slots=True)
class ChatAsk:
    """One answer to a conversation. `tool_choice` is none, auto, required, or the name of the tool to call.

    `schema` is a JSON schema, as text, that the answer has to conform to; empty for free text.
    """

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: str = "auto"
    schema: str = ""
    max_tokens: int = 1024
    temperature: float = 0.0
    stop: tuple[str, ...] = ()
    priority: Priority = "chat"


def chat_body(model_id: str, ask: ChatAsk) -> dict[str, Any]:
    """The body of `POST /v1/chat/completions`; it holds only the fields this question needs."""
    body: dict[str, Any] = {
        "model": model_id,
        "messages": [_message(message) for message in ask.messages],
        "max_tokens": ask.max_tokens,
        "temperature": ask.temperature,
        "stream": True,
        "stream_options": {"include_usage": True, "continuous_usage_stats": True},
    }
    if ask.stop:
        body["stop"] = list(ask.stop)
    if ask.tools:
        body["tools"] = [_tool(spec) for spec in ask.tools]
        body["tool_choice"] = _choice(ask.tool_choice)
    if ask.schema:
        schema = {"name": "answer", "schema": json.loads(ask.schema), "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body


def _message(message: Message) -> dict[str, Any]:
    written: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        written["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.role == "tool":
        written["tool_call_id"] = message.tool_call_id
    return written


def _tool(spec: ToolSpec) -> dict[str, Any]:
    function = {"name": spec.name, "description": spec.description, "parameters": json.loads(spec.parameters)}
    return {"type": "function", "function": function}


def _choice(tool_choice: str) -> str | dict[str, Any]:
    if tool_choice in _CHOICES:
        return tool_choice
    return {"type": "function", "function": {"name": tool_choice}}
