"""Tools, response formats and grammars over HTTP: what reaches the engine, and what comes back."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from heron.errors import InvalidRequest
from heron.host.engine.scripted import Reply, ScriptedEngine
from heron.wire import ChatPrompt, Grammar, ModelInfo, ToolCall
from protocol.http_host import CHAT, events_of, in_memory, on_socket

CHATS = "/v1/chat/completions"
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
READ = {"type": "function", "function": {"name": "read", "description": "Read a file.", "parameters": SCHEMA}}
LIST = {"type": "function", "function": {"name": "list"}}
CALLS = (ToolCall("", "read", '{"path": "a.py"}'), ToolCall("", "list", "{}"))


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine({"hello": Reply("Let me look.", tool_calls=CALLS), "plain": "No tool for that."})


@pytest.fixture
async def client(engine: ScriptedEngine, tmp_path: Path) -> AsyncIterator[openai.AsyncOpenAI]:
    async with on_socket(engine, tmp_path) as plain:
        transport = httpx.AsyncHTTPTransport(uds=str(tmp_path / "host.sock"))
        async with httpx.AsyncClient(transport=transport, base_url=plain.base_url) as http:
            yield openai.AsyncOpenAI(api_key="none", base_url="http://host/v1", http_client=http, max_retries=0)


async def test_calls_come_whole(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(model="scripted", messages=CHAT, tools=[READ, LIST])
    choice = answer.choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content == "Let me look."
    assert [(call.function.name, call.function.arguments) for call in choice.message.tool_calls] == [
        ("read", '{"path": "a.py"}'),
        ("list", "{}"),
    ]
    assert len({call.id for call in choice.message.tool_calls}) == 2


async def test_calls_stream_one_a_chunk(client: openai.AsyncOpenAI) -> None:
    stream = await client.chat.completions.create(model="scripted", messages=CHAT, tools=[READ, LIST], stream=True)
    chunks = [chunk.choices[0] async for chunk in stream]
    calls = [call for chunk in chunks for call in chunk.delta.tool_calls or ()]
    assert [(call.index, call.function.name) for call in calls] == [(0, "read"), (1, "list")]
    assert [json.loads(call.function.arguments) for call in calls] == [{"path": "a.py"}, {}]
    assert "".join(chunk.delta.content or "" for chunk in chunks) == "Let me look."
    assert [chunk.finish_reason for chunk in chunks if chunk.finish_reason] == ["tool_calls"]


async def test_the_accumulator_of_the_client_reads_calls(client: openai.AsyncOpenAI) -> None:
    async with client.chat.completions.stream(model="scripted", messages=CHAT, tools=[READ, LIST]) as stream:
        final = await stream.get_final_completion()
    assert [call.function.name for call in final.choices[0].message.tool_calls] == ["read", "list"]


async def test_an_answer_without_calls_is_text(client: openai.AsyncOpenAI) -> None:
    messages = [{"role": "user", "content": "plain"}]
    answer = await client.chat.completions.create(model="scripted", messages=messages, tools=[READ])
    assert answer.choices[0].message.content == "No tool for that."
    assert answer.choices[0].message.tool_calls is None
    assert answer.choices[0].finish_reason == "stop"


async def test_calls_and_results_in_the_history_reach_the_engine(
    client: openai.AsyncOpenAI, engine: ScriptedEngine
) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "read", "arguments": '{"path": "b"}'}}
    history = [
        *CHAT,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "text of b"},
    ]
    await client.chat.completions.create(model="scripted", messages=history, tools=[READ])
    prompt = engine.requests[-1].prompt
    assert isinstance(prompt, ChatPrompt)
    assert prompt.messages[1].tool_calls == (ToolCall("c1", "read", '{"path": "b"}'),)
    assert (prompt.messages[2].role, prompt.messages[2].tool_call_id) == ("tool", "c1")
    assert json.loads(prompt.tools[0].parameters) == SCHEMA


async def ask(engine: ScriptedEngine, **fields: object) -> httpx.Response:
    async with in_memory(engine) as client:
        return await client.post(CHATS, json={"messages": CHAT, **fields})


async def grammar_of(engine: ScriptedEngine, **fields: object) -> Grammar | None:
    """The grammar an engine is asked for."""
    response = await ask(engine, **fields)
    assert response.status_code == 200, response.text
    return engine.requests[-1].sampling.grammar


async def test_a_response_format_becomes_a_grammar(engine: ScriptedEngine) -> None:
    assert await grammar_of(engine) is None
    assert await grammar_of(engine, response_format={"type": "text"}) is None
    grammar = await grammar_of(engine, response_format={"type": "json_object"})
    assert grammar is not None
    assert json.loads(grammar.text) == {"type": "object"}
    wanted = {"name": "place", "schema": SCHEMA, "strict": True}
    grammar = await grammar_of(engine, response_format={"type": "json_schema", "json_schema": wanted})
    assert grammar == Grammar("json_schema", json.dumps(SCHEMA))


async def test_only_a_strict_schema_is_refused_for_unknown_keywords(engine: ScriptedEngine) -> None:
    grammar = await grammar_of(engine, response_format={"type": "json_schema", "json_schema": {"schema": SCHEMA}})
    assert grammar is not None
    assert json.loads(grammar.text)["x-guidance"] == {"lenient": True}


async def test_a_grammar_of_ones_own(engine: ScriptedEngine) -> None:
    assert await grammar_of(engine, grammar={"kind": "regex", "text": "a+"}) == Grammar("regex", "a+")
    async with in_memory(engine) as client:
        body = {"prompt": "x", "grammar": {"kind": "lark", "text": "start: /a/"}}
        await client.post("/v1/completions", json=body)
    assert engine.requests[-1].sampling.grammar == Grammar("lark", "start: /a/")


async def test_tool_choice_decides_the_grammar(engine: ScriptedEngine) -> None:
    texts = {}
    for choice in ("none", "auto", "required", {"type": "function", "function": {"name": "list"}}):
        grammar = await grammar_of(engine, tools=[READ, LIST], tool_choice=choice)
        assert grammar is not None
        texts[str(choice)] = grammar.text
    named, required, none = texts.pop(str(choice)), texts["required"], texts["none"]
    assert "read" in required
    assert "read" not in named
    assert "read" not in none
    assert len(set(texts.values())) == 3


async def test_one_call_where_parallel_ones_are_not_wanted(engine: ScriptedEngine) -> None:
    many = await grammar_of(engine, tools=[READ], tool_choice="required")
    one = await grammar_of(engine, tools=[READ], tool_choice="required", parallel_tool_calls=False)
    assert many is not None
    assert one is not None
    assert "{0,7}" in many.text
    assert "{0," not in one.text


@pytest.mark.parametrize(
    ("fields", "param", "message"),
    [
        ({"tools": [READ, LIST]}, "tools", "tools: list: cannot be compiled"),
        ({"response_format": {"type": "json_object"}}, "response_format", "response_format: cannot be"),
        ({"grammar": {"kind": "regex", "text": "("}}, "grammar", "grammar: at 3(1): cannot be compiled"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_an_error_of_the_grammar_names_the_clients_field(
    fields: dict[str, Any], param: str, message: str, stream: bool
) -> None:
    refusal = InvalidRequest("grammar: at 3(1): cannot be compiled.", param="grammar")
    response = await ask(ScriptedEngine(lambda request: refusal), stream=stream, **fields)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["param"] == param
    assert message in error["message"]


async def test_a_model_without_tools(engine: ScriptedEngine) -> None:
    lacking = ScriptedEngine("", model=ModelInfo("small", 99, supports_chat=True))
    response = await ask(lacking, tools=[READ])
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "tools"
    async with in_memory(engine) as client:
        await client.post(CHATS, json={"messages": CHAT})
        assert (await client.get("/v1/models/scripted")).json()["capabilities"]["tools"]


async def test_a_cut_call_is_told_as_text() -> None:
    engine = ScriptedEngine('<tool_call>\n{"name": "read", "argu')
    choice = (await ask(engine, tools=[READ], max_tokens=4)).json()["choices"][0]
    assert choice["finish_reason"] == "length"
    assert "tool_calls" not in choice["message"]


async def test_times_come_with_the_usage(engine: ScriptedEngine) -> None:
    response = await ask(engine, stream=True, stream_options={"include_usage": True})
    *_, last, done = events_of(response.text)
    assert done == "[DONE]"
    assert last["choices"] == []
    assert 0 < last["timings"]["first_token_ms"] <= last["timings"]["total_ms"]
    assert last["timings"]["longest_gap_ms"] >= 0
