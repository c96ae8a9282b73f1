"""Calls of tools in an answer: read from its text, and written in OpenAI's shape."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from heron.host.api.constraint import Constraint
from heron.host.engine.tool_parser import CallParser
from heron.wire import Delta, ToolCall


async def read_calls(deltas: AsyncGenerator[Delta, None], constraint: Constraint) -> AsyncGenerator[Delta, None]:
    """The deltas with whole calls in place of their text; an answer that called and stopped ends in `tool_calls`."""
    if constraint.calls is None:
        async with aclosing(deltas):
            async for delta in deltas:
                yield delta
        return
    parser, called = CallParser(constraint.calls, [tool.name for tool in constraint.tools]), False
    async with aclosing(deltas):
        async for delta in deltas:
            parsed = parser.push(delta.text, final=delta.finish_reason is not None)
            called = called or bool(parsed.tool_calls)
            finish_reason = "tool_calls" if called and delta.finish_reason == "stop" else delta.finish_reason
            yield replace(delta, text=parsed.text, tool_calls=parsed.tool_calls, finish_reason=finish_reason)


def call_object(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
