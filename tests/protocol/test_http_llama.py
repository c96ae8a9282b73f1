"""llama.cpp's routes, asked as llama.vim asks."""

from typing import Any

import pytest

from heron.host.engine.scripted import Reply, Script, ScriptedEngine
from heron.wire import FimPrompt
from protocol.http_host import events_of, in_memory

# what autoload/llama.vim sends
ASKED: dict[str, Any] = {
    "id_slot": 0,
    "input_prefix": "def f():\n",
    "input_suffix": "\nprint(f())\n",
    "input_extra": [{"text": "X = 1\n", "time": 1, "filename": "x.py"}],
    "prompt": "    ret",
    "n_predict": 128,
    "stop": [],
    "n_indent": 4,
    "top_k": 40,
    "top_p": 0.9,
    "samplers": ["top_k", "top_p", "infill"],
    "stream": False,
    "cache_prompt": True,
    "t_max_prompt_ms": 500,
    "t_max_predict_ms": 250,
    "response_fields": ["content", "timings/prompt_n", "timings/predicted_per_second", "truncated", "tokens_cached"],
}


async def test_infill_as_llama_vim_asks() -> None:
    engine = ScriptedEngine("urn 1\n    # more\nprint(f())")
    async with in_memory(engine) as client:
        answer = (await client.post("/infill", json=ASKED)).json()
    assert answer["content"] == "urn 1\n    # more"
    assert set(answer) == set(ASKED["response_fields"])
    (request,) = engine.requests
    assert request.prompt == FimPrompt("X = 1\n\ndef f():\n    ret", "\nprint(f())\n")
    assert (request.sampling.temperature, request.sampling.max_tokens, request.priority) == (0.0, 128, "completion")


async def test_a_warming_request_waits_for_everybody_and_says_nothing() -> None:
    engine = ScriptedEngine("urn 1")
    async with in_memory(engine) as client:
        answer = (await client.post("/infill", json=ASKED | {"n_predict": 0, "response_fields": [""]})).json()
    assert answer == {}
    assert [(request.priority, request.sampling.max_tokens) for request in engine.requests] == [("background", 1)]


async def test_a_stream_ends_with_the_whole_but_its_text() -> None:
    async with in_memory(ScriptedEngine("urn 1\n    # more\nprint(f())")) as client:
        asked = ASKED | {"stream": True, "response_fields": None}
        *parts, last, done = events_of((await client.post("/infill", json=asked)).text)
    assert "".join(part["content"] for part in parts) == "urn 1\n    # more"
    assert (last["stop"], last["content"], last["stop_type"], done) == (True, "", "limit", "[DONE]")
    assert not any(part["stop"] for part in parts)


async def test_extra_text_gives_way_to_the_window() -> None:
    engine = ScriptedEngine("1")
    extra = [{"text": "old " * 20_000}, {"text": "new " * 100}]
    async with in_memory(engine) as client:
        assert (await client.post("/infill", json=ASKED | {"input_extra": extra})).status_code == 200
    (request,) = engine.requests
    assert isinstance(request.prompt, FimPrompt)
    assert request.prompt.prefix.startswith("new ")


@pytest.mark.parametrize(
    ("field", "value"),
    [("n_predict", -2), ("grammar", "root ::= x"), ("input_prefix", 1), ("n_indent", -1), ("input_extra", "x")],
)
async def test_what_is_wrong_is_named(field: str, value: object) -> None:
    async with in_memory(ScriptedEngine("1")) as client:
        answer = await client.post("/infill", json=ASKED | {field: value})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(f"{field}: ")


async def test_what_plugins_ask_before_they_begin() -> None:
    async with in_memory(ScriptedEngine(Script(otherwise=Reply("1")))) as client:
        props = (await client.get("/props")).json()
        assert (await client.get("/health")).json() == (await client.get("/v1/health")).json() == {"status": "ok"}
        tokens = (await client.post("/tokenize", json={"content": "a b"})).json()["tokens"]
    assert props["default_generation_settings"]["n_ctx"] > 0
    assert (props["total_slots"], props["model_alias"]) == (1, "scripted")
    assert tokens
