"""`Client.chat`: against our own host, a server that is not Heron's, and one that is lost."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from heron.discovery import HostAddress
from heron.editor.client.chat_ask import ChatAsk
from heron.editor.client.client import Client
from heron.errors import HostUnreachable
from heron.host.engine.scripted import ScriptedEngine
from heron.wire import ChatPrompt, Delta, Message, ToolCall, ToolSpec, Usage
from protocol.foreign_server import Exchange, event, foreign_server
from protocol.http_host import on_socket
from protocol.test_lsp_client import MODELS, client_of, own_host

ASK = ChatAsk((Message("system", "Be short."), Message("user", "Hi")), max_tokens=16)
CHAT = "/v1/chat/completions"
SPEC = ToolSpec("grep", "Search.", '{"type": "object"}')


async def collect(client: Client, ask: ChatAsk = ASK) -> list[Delta]:
    async with aclosing(client.chat(ask)) as deltas:
        return [delta async for delta in deltas]


async def test_our_own_host(tmp_path: Path) -> None:
    engine = ScriptedEngine("Hello é😀")
    async with on_socket(engine, tmp_path), client_of(own_host(tmp_path)) as client:
        deltas = await collect(client)
        assert "".join(delta.text for delta in deltas) == "Hello é😀"
        assert [delta.finish_reason for delta in deltas if delta.finish_reason] == ["stop"]
        assert any(delta.usage for delta in deltas)
        (request,) = engine.requests
        assert isinstance(request.prompt, ChatPrompt)
        assert request.prompt.messages == ASK.messages
        assert (request.sampling.max_tokens, request.priority) == (16, "chat")


async def test_closing_the_stream_aborts_the_sequence(tmp_path: Path) -> None:
    engine = ScriptedEngine("a long answer that is not read to its end")
    async with on_socket(engine, tmp_path), client_of(own_host(tmp_path)) as client:
        engine.hold()
        task = asyncio.create_task(collect(client))
        await engine.wait_for(lambda engine: len(engine.requests) == 1)
        task.cancel()
        await engine.wait_for(lambda engine: len(engine.aborted) == 1)


async def test_a_foreign_servers_calls_and_usage(tmp_path: Path) -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.begin()
        function = {"name": "grep", "arguments": '{"pattern": '}
        first = {"index": 0, "id": "a", "type": "function", "function": function}
        rest = {"index": 0, "function": {"arguments": '"x"}'}}
        for delta in ({"role": "assistant", "content": "Let me see."}, {"tool_calls": [first]}, {"tool_calls": [rest]}):
            await exchange.write(event({"choices": [{"delta": delta}]}))
        usage = {"prompt_tokens": 3, "completion_tokens": 2}
        await exchange.write(event({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}))
        await exchange.write(event({"choices": [], "usage": usage}) + b"data: [DONE]\n\n")

    async with foreign_server(tmp_path, {"/v1/models": MODELS, CHAT: answer}) as server:
        async with client_of(server.address) as client:
            deltas = await collect(client, ChatAsk(ASK.messages, (SPEC,), "required", priority="background"))
        assert [delta for delta in deltas if delta != Delta()] == [
            Delta("Let me see."),
            Delta(finish_reason="tool_calls", tool_calls=(ToolCall("a", "grep", '{"pattern": "x"}'),)),
            Delta(usage=Usage(3, 2)),
        ]
        exchange = server.exchanges[-1]
        assert exchange.json["tool_choice"] == "required"
        assert "x-heron-priority: background" in exchange.head.lower()


async def test_a_lost_server_is_found_once_more(tmp_path: Path) -> None:
    addresses = [HostAddress("http://host", str(tmp_path / "nobody.sock"))]

    async def connect() -> HostAddress:
        return addresses.pop(0)

    async def answer(exchange: Exchange) -> None:
        await exchange.answer(event({"choices": [{"delta": {"content": "ok"}, "finish_reason": "stop"}]}))

    async with foreign_server(tmp_path, {"/v1/models": MODELS, CHAT: answer}) as server:
        addresses.append(server.address)
        client = Client(connect)
        assert await collect(client) == [Delta("ok", finish_reason="stop")]
        await client.close()


async def test_a_stream_lost_midway_is_not_begun_again(tmp_path: Path) -> None:
    async def answer(exchange: Exchange) -> None:
        head = b"HTTP/1.1 200 X\r\nContent-Length: 1000\r\n\r\n"
        await exchange.write(head + event({"choices": [{"delta": {"content": "a"}}]}))

    async with foreign_server(tmp_path, {"/v1/models": MODELS, CHAT: answer}) as server:
        async with client_of(server.address) as client:
            with pytest.raises(HostUnreachable):
                await collect(client)
        assert [exchange.head.split()[1] for exchange in server.exchanges].count(CHAT) == 1
