"""The answers have OpenAI's exact shapes."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from heron import __version__
from heron.host.engine.scripted import ScriptedEngine
from heron.wire import ChatPrompt, FimPrompt, Message, TextPrompt, TokenPrompt
from protocol.http_host import CHAT, events_of, in_memory

FINGERPRINT = f"heron-{__version__}"
TIMINGS = {"first_token_ms", "per_token_ms", "longest_gap_ms", "total_ms"}


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine("return 1\n")


@pytest.fixture
async def client(engine: ScriptedEngine) -> AsyncIterator[httpx.AsyncClient]:
    async with in_memory(engine) as client:
        yield client


async def test_completion_has_the_shape_of_openai(client: httpx.AsyncClient) -> None:
    answer = (await client.post("/v1/completions", json={"prompt": "def f(): "})).json()
    assert answer.pop("id").startswith("cmpl-")
    assert answer.pop("created") > 1.7e9
    assert set(answer.pop("timings")) == TIMINGS
    assert answer == {
        "object": "text_completion",
        "model": "scripted",
        "system_fingerprint": FINGERPRINT,
        "choices": [{"text": "return 1\n", "index": 0, "logprobs": None, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": 3,
            "completion_tokens": 3,
            "total_tokens": 6,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0},
        },
    }


async def test_chat_completion_has_the_shape_of_openai(client: httpx.AsyncClient) -> None:
    answer = (await client.post("/v1/chat/completions", json={"messages": CHAT, "model": "scripted"})).json()
    assert answer.pop("id").startswith("chatcmpl-")
    assert answer.pop("created") > 1.7e9
    assert set(answer.pop("timings")) == TIMINGS
    assert answer.pop("usage")["total_tokens"] == 5
    message = {"role": "assistant", "content": "return 1\n", "refusal": None}
    assert answer == {
        "object": "chat.completion",
        "model": "scripted",
        "system_fingerprint": FINGERPRINT,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
    }


@pytest.mark.parametrize("path", ["/v1/completions", "/v1/chat/completions"])
async def test_a_client_that_leaves_early_can_have_the_usage_in_every_event(
    client: httpx.AsyncClient, path: str
) -> None:
    options = {"include_usage": True, "continuous_usage_stats": True}
    prompt = {"prompt": "x"} if path == "/v1/completions" else {"messages": [{"role": "user", "content": "x"}]}
    response = await client.post(path, json={**prompt, "stream": True, "stream_options": options})
    *chunks, last, _ = events_of(response.text)
    assert chunks[1]["usage"]["prompt_tokens"] == last["usage"]["prompt_tokens"] > 0
    assert last["usage"]["completion_tokens"] == 3


async def test_completion_stream_ends_with_finish_usage_and_done(client: httpx.AsyncClient) -> None:
    body = {"prompt": "x", "stream": True, "stream_options": {"include_usage": True}}
    response = await client.post("/v1/completions", json=body)
    assert response.headers["content-type"].startswith("text/event-stream")
    *chunks, last, done = events_of(response.text)
    assert done == "[DONE]"
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] == 3
    assert {chunk["object"] for chunk in (*chunks, last)} == {"text_completion"}
    assert len({chunk["id"] for chunk in (*chunks, last)}) == 1
    assert all(chunk["usage"] is None for chunk in chunks)
    assert "".join(chunk["choices"][0]["text"] for chunk in chunks) == "return 1\n"
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None, None, None, "stop"]


async def test_chat_stream_opens_with_the_role_and_closes_with_an_empty_delta(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/chat/completions", json={"messages": CHAT, "stream": True})
    *chunks, done = events_of(response.text)
    assert done == "[DONE]"
    choices = [chunk["choices"][0] for chunk in chunks]
    assert choices[0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert [choice["delta"] for choice in choices[1:]] == [
        {"content": "retu"},
        {"content": "rn 1"},
        {"content": "\n"},
        {},
    ]
    assert [choice["finish_reason"] for choice in choices] == [None] * 4 + ["stop"]
    assert all("usage" not in chunk and chunk["object"] == "chat.completion.chunk" for chunk in chunks)


@pytest.mark.parametrize("extra", [{}, {"stop": ["rn"]}, {"stop": "1"}, {"max_tokens": 1}, {"logprobs": 1}])
async def test_streamed_and_whole_completions_are_equal(client: httpx.AsyncClient, extra: dict[str, Any]) -> None:
    body = {"prompt": "x"} | extra
    whole = (await client.post("/v1/completions", json=body)).json()["choices"][0]
    streamed = events_of((await client.post("/v1/completions", json=body | {"stream": True})).text)
    choices = [chunk["choices"][0] for chunk in streamed[:-1]]
    assert "".join(choice["text"] for choice in choices) == whole["text"]
    assert choices[-1]["finish_reason"] == whole["finish_reason"]
    for key in whole["logprobs"] or ():
        assert [item for choice in choices for item in (choice["logprobs"] or {}).get(key, ())] == whole["logprobs"][
            key
        ]


async def test_completion_logprobs(client: httpx.AsyncClient) -> None:
    answer = (await client.post("/v1/completions", json={"prompt": "x", "logprobs": 1, "max_tokens": 2})).json()
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["choices"][0]["logprobs"] == {
        "tokens": ["retu", "rn 1"],
        "token_logprobs": [-0.5, -0.5],
        "top_logprobs": [{"retu": -0.5}, {"rn 1": -0.5}],
        "text_offset": [0, 4],
    }


async def test_chat_logprobs(client: httpx.AsyncClient) -> None:
    body = {"messages": CHAT, "logprobs": True, "top_logprobs": 1, "max_completion_tokens": 1}
    answer = (await client.post("/v1/chat/completions", json=body)).json()
    token = {"token": "retu", "logprob": -0.5, "bytes": [114, 101, 116, 117]}
    assert answer["choices"][0]["logprobs"] == {"content": [token | {"top_logprobs": [token]}], "refusal": None}


@pytest.mark.parametrize(
    ("body", "prompt"),
    [
        ({"prompt": "a"}, TextPrompt("a")),
        ({"prompt": ["a"]}, TextPrompt("a")),
        ({"prompt": "a", "suffix": None}, TextPrompt("a")),
        ({"prompt": "a", "suffix": "b"}, FimPrompt("a", "b")),
        ({"prompt": "a", "suffix": ""}, FimPrompt("a", "")),
        ({"prompt": [1, 2, 3]}, TokenPrompt((1, 2, 3))),
    ],
)
async def test_prompts(client: httpx.AsyncClient, engine: ScriptedEngine, body: dict[str, Any], prompt: object) -> None:
    assert (await client.post("/v1/completions", json=body)).status_code == 200
    assert engine.requests[-1].prompt == prompt


async def test_chat_messages(client: httpx.AsyncClient, engine: ScriptedEngine) -> None:
    parts = [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]
    messages = [
        {"role": "developer", "content": "be brief", "name": "ignored"},
        {"role": "user", "content": parts},
        {"role": "assistant", "content": None, "tool_calls": []},
    ]
    assert (await client.post("/v1/chat/completions", json={"messages": messages})).status_code == 200
    assert engine.requests[-1].prompt == ChatPrompt(
        (Message("system", "be brief"), Message("user", "one two"), Message("assistant", ""))
    )


async def test_every_sampling_parameter_reaches_the_engine(client: httpx.AsyncClient, engine: ScriptedEngine) -> None:
    body = {
        "prompt": "x",
        "max_tokens": 7,
        "temperature": 0,
        "top_p": 0.5,
        "top_k": 3,
        "seed": -1,
        "stop": ["a", "b"],
        "logit_bias": {"5": -100},
        "logprobs": 2,
        "user": "me",
        "n": 1,
        "best_of": 1,
        "echo": False,
        "frequency_penalty": 0,
        "unknown": {"is": "ignored"},
    }
    response = await client.post("/v1/completions", json=body, headers={"X-Heron-Priority": "background"})
    assert response.status_code == 200
    request = engine.requests[-1]
    sampling = request.sampling
    assert request.priority == "background"
    assert (sampling.max_tokens, sampling.temperature, sampling.top_p, sampling.top_k) == (7, 0.0, 0.5, 3)
    assert (sampling.seed, sampling.stop, sampling.logit_bias, sampling.logprobs) == (-1, ("a", "b"), ((5, -100.0),), 2)


async def test_defaults_are_those_of_openai(client: httpx.AsyncClient, engine: ScriptedEngine) -> None:
    await client.post("/v1/completions", json={"prompt": "x"})
    await client.post("/v1/chat/completions", json={"messages": CHAT})
    completion, chat = engine.requests
    assert (completion.sampling.max_tokens, completion.sampling.temperature, completion.priority) == (
        16,
        1.0,
        "completion",
    )
    assert (chat.sampling.max_tokens, chat.sampling.temperature, chat.priority) == (4096, 1.0, "chat")


async def test_models(client: httpx.AsyncClient) -> None:
    await client.post("/v1/completions", json={"prompt": "x"})  # loads the model
    listed = (await client.get("/v1/models")).json()
    [model] = listed["data"]
    assert listed["object"] == "list"
    assert model.pop("created") > 1.7e9
    assert model == {
        "id": "scripted",
        "object": "model",
        "owned_by": "heron",
        "context_window": 4096,
        "capabilities": {"fim": True, "chat": True, "tools": True},
    }
    assert (await client.get("/v1/models/scripted")).json()["id"] == "scripted"


async def test_healthz_is_the_health_as_json(client: httpx.AsyncClient) -> None:
    await client.post("/v1/completions", json={"prompt": "x"})
    response = await client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"state": "ready", "model": "scripted", "message": "", "fraction": None, "notice": ""}


@pytest.mark.parametrize("model", ["", "auto", None, "scripted"])
async def test_model_names_that_mean_the_loaded_one(client: httpx.AsyncClient, model: str | None) -> None:
    response = await client.post("/v1/completions", json={"prompt": "x", "model": model})
    assert response.json()["model"] == "scripted"
