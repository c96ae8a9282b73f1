"""heron/model and heron/chat: the model as it is, for an editor's own chat: nothing is looked up or kept."""

import json
from contextlib import aclosing
from typing import Any

from lsprotocol import types

from heron.editor.client.chat_ask import ChatAsk
from heron.editor.lsp.errors import rpc_errors
from heron.editor.lsp.fields import Fields, read_fields
from heron.editor.lsp.ready_source import ReadySource
from heron.editor.lsp.session import Session
from heron.errors import InvalidRequest
from heron.wire import Message, Role, ToolCall, ToolSpec

_ROLES: tuple[Role, ...] = ("system", "user", "assistant", "tool")
_MAX_TOKENS = (1, 32_768)


async def answer_model(session: Session, params: object) -> dict[str, Any]:
    """What the model can do; params are ignored. Waits for one that is still coming."""
    with rpc_errors():
        model = await ReadySource(session.chat_client, session.watch).model()
        return {
            "id": model.id,
            "contextWindow": model.context_window,
            "supportsChat": model.supports_chat,
            "supportsTools": model.supports_tools,
        }


async def answer_chat(session: Session, params: object) -> dict[str, Any]:
    """The model's next message, told by `$/progress` while it is written: `{text, toolCalls, finishReason}`."""
    with rpc_errors():
        fields = read_fields(params)
        ask, token = read_ask(fields), fields.token("workDoneToken")
        source = ReadySource(session.chat_client, session.watch)
        text, calls, reason = "", [], "stop"
        async with aclosing(source.chat(ask)) as deltas:
            async for delta in deltas:
                text += delta.text
                calls += [_plain_call(call) for call in delta.tool_calls]
                reason = delta.finish_reason or reason
                if delta.text and token is not None:
                    value = {"kind": "report", "delta": delta.text}
                    session.server.protocol.notify(types.PROGRESS, types.ProgressParams(token, value))
        return {"text": text, "toolCalls": calls, "finishReason": reason}


def read_ask(fields: Fields) -> ChatAsk:
    """The conversation, the client's tools and the limit. Raises InvalidRequest, which names what is wrong."""
    messages = tuple(_read_message(item) for item in fields.children("messages"))
    if not messages:
        raise InvalidRequest("messages must have at least one message.", param="messages")
    tools = tuple(_read_tool(item) for item in fields.children("tools"))
    choice = fields.text("toolChoice", "auto")
    return ChatAsk(messages, tools, choice, max_tokens=fields.number("maxTokens", 1024, _MAX_TOKENS))


def _read_message(fields: Fields) -> Message:
    role = fields.text("role")
    calls = tuple(
        ToolCall(call.text("id"), call.text("name"), call.text("arguments")) for call in fields.children("toolCalls")
    )
    for known in _ROLES:
        if role == known:
            return Message(known, fields.text("content"), calls, fields.text("toolCallId", ""))
    allowed = ", ".join(_ROLES)
    raise InvalidRequest(f"{fields.place}.role: {role[:80]!r} is not one of {allowed}.", param=fields.place)


def _read_tool(fields: Fields) -> ToolSpec:
    parameters = fields.child("parameters")
    schema = json.dumps(dict(parameters.values)) if parameters else '{"type": "object"}'
    return ToolSpec(fields.text("name"), fields.text("description", ""), schema)


def _plain_call(call: ToolCall) -> dict[str, str]:
    return {"id": call.id, "name": call.name, "arguments": call.arguments}
