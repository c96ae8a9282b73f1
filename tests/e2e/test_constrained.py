"""Grammars and tools on real models: what a client gets is valid, whatever the model would rather say."""

import json
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from heron.host.engine.draft import LookupDrafter
from heron.host.engine.local_engine import LocalEngine
from heron.wire import ChatPrompt, GenerateRequest, Grammar, Message, Sampling
from homes import SMALL
from real_models import open_engine

PLACE = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 20}, "founded": {"type": "integer", "minimum": 0}},
    "required": ["name", "founded"],
    "additionalProperties": False,
}
READ = {
    "type": "function",
    "function": {
        "name": "read_file",
        "description": "Read a file of the workspace.",
        "parameters": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
    },
}


def chat(http: httpx.Client, text: str, **fields: object) -> dict[str, Any]:
    body = {"messages": [{"role": "user", "content": text}], "temperature": 0, "max_tokens": 120, **fields}
    response = http.post("/v1/chat/completions", json=body)
    assert response.status_code == 200, response.text
    choice: dict[str, Any] = response.json()["choices"][0]
    return choice


def test_the_default_model_writes_json_by_a_schema(http: httpx.Client) -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "place", "schema": PLACE, "strict": True}}
    choice = chat(http, "Tell me about Paris.", response_format=wanted)
    assert choice["finish_reason"] == "stop"
    jsonschema.validate(json.loads(choice["message"]["content"]), PLACE)


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "read_file"}}])
def test_the_default_model_calls_a_tool_and_goes_on_with_its_result(http: httpx.Client, choice: object) -> None:
    question = "What does src/main.py print?"
    first = chat(http, question, tools=[READ], tool_choice=choice, parallel_tool_calls=False)
    assert first["finish_reason"] == "tool_calls"
    [call] = first["message"]["tool_calls"]
    arguments = json.loads(call["function"]["arguments"])
    assert arguments["path"].endswith("main.py")
    result = {"role": "tool", "tool_call_id": call["id"], "content": 'print("good morning")'}
    history = [{"role": "user", "content": question}, first["message"], result]
    second = chat(http, "", messages=history, tools=[READ], tool_choice="none")
    assert "good morning" in second["message"]["content"]


def test_a_schema_nobody_can_meet_is_refused(http: httpx.Client) -> None:
    wanted = {"type": "json_schema", "json_schema": {"schema": {"type": "integer", "minimum": 3, "maximum": 1}}}
    body = {"messages": [{"role": "user", "content": "x"}], "response_format": wanted}
    response = http.post("/v1/chat/completions", json=body)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "response_format"


@pytest.mark.parametrize("temperature", [0.0, 1.0])
async def test_drafts_change_no_constrained_answer(real_home: Path, temperature: float) -> None:
    schema = {"type": "array", "items": PLACE, "minItems": 3, "maxItems": 3}
    sampling = Sampling(200, temperature, seed=5, grammar=Grammar("json_schema", json.dumps(schema)))
    request = GenerateRequest("r", ChatPrompt((Message("user", "List three towns."),)), sampling)
    async with open_engine(real_home, SMALL) as engine:
        plain = [await _answer(engine, request) for _ in range(2)]
        engine._loop._drafter = LookupDrafter()
        drafted = [await _answer(engine, request) for _ in range(2)]
    assert {*plain, *drafted} == {plain[0]}
    jsonschema.validate(json.loads(plain[0]), schema)


async def _answer(engine: LocalEngine, request: GenerateRequest) -> str:
    return "".join([delta.text async for delta in engine.generate(request)])
