"""The official OpenAI client works against a host unchanged."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import openai
import pytest

from heron.errors import Overloaded
from heron.host.engine.scripted import ScriptedEngine
from protocol.http_host import CHAT, on_socket

ANSWERS = {"hello": "hello to you", "def ": "return 1\n", "busy": Overloaded("The queue is full.")}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[openai.AsyncOpenAI]:
    async with on_socket(ScriptedEngine(ANSWERS), tmp_path) as plain:
        transport = httpx.AsyncHTTPTransport(uds=str(tmp_path / "host.sock"))
        async with httpx.AsyncClient(transport=transport, base_url=plain.base_url) as http:
            yield openai.AsyncOpenAI(api_key="none", base_url="http://host/v1", http_client=http, max_retries=0)


async def test_models(client: openai.AsyncOpenAI) -> None:
    await client.completions.create(model="auto", prompt="def f")
    assert [model.id async for model in client.models.list()] == ["scripted"]
    assert (await client.models.retrieve("scripted")).owned_by == "heron"


async def test_completion(client: openai.AsyncOpenAI) -> None:
    answer = await client.completions.create(model="scripted", prompt="def f():\n    ", suffix="\n", logprobs=1)
    assert answer.choices[0].text == "return 1\n"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.choices[0].logprobs.tokens == ["retu", "rn 1", "\n"]
    assert answer.usage.prompt_tokens_details.cached_tokens == 0


async def test_completion_stream(client: openai.AsyncOpenAI) -> None:
    stream = await client.completions.create(model="scripted", prompt="def f", stream=True)
    assert "".join([chunk.choices[0].text async for chunk in stream]) == "return 1\n"


async def test_chat(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(model="scripted", messages=CHAT, logprobs=True, top_logprobs=1)
    assert answer.choices[0].message.content == "hello to you"
    assert answer.choices[0].logprobs.content[0].top_logprobs[0].token == "hell"


async def test_chat_stream_with_its_accumulator(client: openai.AsyncOpenAI) -> None:
    options = {"include_usage": True}
    async with client.chat.completions.stream(model="scripted", messages=CHAT, stream_options=options) as stream:
        deltas = [event.delta async for event in stream if event.type == "content.delta"]
        final = await stream.get_final_completion()
    assert "".join(deltas) == final.choices[0].message.content == "hello to you"
    assert final.usage.completion_tokens == 3


async def test_errors_have_the_types_of_the_client(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        await client.completions.create(model="gpt-5", prompt="def f")
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as bad:
        await client.chat.completions.create(model="scripted", messages=CHAT, temperature=5)
    assert bad.value.param == "temperature"
    with pytest.raises(openai.RateLimitError):
        await client.completions.create(model="scripted", prompt="busy")
