"""Another server as an engine: servers that are not Heron's, and those that fail. Heron's own is in e2e."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from heron.errors import HostUnreachable, InvalidRequest, Overloaded, PromptTooLong, Unauthorized, UnsupportedFeature
from heron.host.engine.remote_engine import RemoteEngine, connect_remote
from heron.settings import EngineSettings, ModelSettings, Settings
from heron.wire import (
    ChatPrompt,
    Delta,
    FimPrompt,
    GenerateRequest,
    Grammar,
    Message,
    ModelInfo,
    Sampling,
    TextPrompt,
    TokenPrompt,
    ToolSpec,
    Usage,
)
from protocol.foreign_server import Answer, Exchange, ForeignServer, event

MODELS = {"data": [{"id": "other", "max_model_len": 100}, {"id": "wanted", "context_window": 50}]}
SHORT = TextPrompt("x")
USAGE = {"prompt_tokens": 7, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}


@asynccontextmanager
async def server(routes: dict[str, object | Answer]) -> AsyncIterator[tuple[ForeignServer, EngineSettings]]:
    foreign = ForeignServer(routes)
    listening = await asyncio.start_server(foreign.serve, "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        yield foreign, EngineSettings(remote_url=f"http://127.0.0.1:{port}/v1/", remote_token="secret")


async def connect(settings: EngineSettings, model: str = "auto") -> RemoteEngine:
    whole = Settings(model=ModelSettings(name=model), engine=settings)
    return await asyncio.to_thread(connect_remote, whole, "Because.")


async def ask(engine: RemoteEngine, prompt: Any = SHORT, **sampling: Any) -> list[Delta]:
    async with aclosing(engine.generate(GenerateRequest("r", prompt, Sampling(**sampling)))) as deltas:
        return [delta async for delta in deltas]


async def stream_answer(exchange: Exchange) -> None:
    await exchange.begin()
    for piece in ("a", "b"):
        await exchange.write(event({"choices": [{"text": piece, "delta": {"content": piece}, "finish_reason": None}]}))
    await exchange.write(event({"choices": [{"text": "", "finish_reason": "length"}]}))
    await exchange.write(event({"choices": [], "usage": USAGE}) + b"data: [DONE]\n\n")


async def test_the_model_is_the_one_wanted_or_the_first() -> None:
    async with server({"/v1/models": MODELS}) as (foreign, settings):
        engine = await connect(settings)
        assert engine.model.id == "other"
        assert engine.model.context_window == 100
        assert engine.model.supports_chat
        assert not engine.model.supports_fim
        assert engine.model.place.endswith(": Because.")
        assert (await connect(settings, "wanted")).model.context_window == 50
        assert "Authorization: Bearer secret" in foreign.exchanges[0].head
        with pytest.raises(InvalidRequest, match="does not offer 'none'; it has other, wanted"):
            await connect(settings, "none")
        assert (await engine.metrics())["remote_up"] == 1.0
        await engine.close()


async def test_a_stream_becomes_deltas_with_the_usage_last() -> None:
    async with server({"/v1/models": MODELS, "/v1/completions": stream_answer}) as (foreign, settings):
        engine = await connect(settings)
        deltas = await ask(engine, max_tokens=2, stop=("zz",), seed=1, top_k=3)
        assert [(delta.text, delta.finish_reason) for delta in deltas] == [("a", None), ("b", None), ("", "length")]
        assert deltas[-1].usage == Usage(7, 2, 4)
        sent = foreign.exchanges[-1].json
        assert sent | {"prompt": "x", "max_tokens": 2, "stop": ["zz"], "seed": 1, "top_k": 3, "model": "other"} == sent
        await ask(engine, TokenPrompt((1, 2)))
        assert foreign.exchanges[-1].json["prompt"] == [1, 2]
        assert "x-heron-priority" not in foreign.exchanges[-1].head.lower()
        await engine.close()


async def test_chats_and_schemas_go_as_openais() -> None:
    async with server({"/v1/models": MODELS, "/v1/chat/completions": stream_answer}) as (foreign, settings):
        engine = await connect(settings)
        chat = ChatPrompt((Message("user", "hi"),))
        assert "".join(delta.text for delta in await ask(engine, chat, grammar=Grammar("json_schema", "{}"))) == "ab"
        sent = foreign.exchanges[-1].json
        assert sent["messages"] == [{"role": "user", "content": "hi"}]
        assert sent["response_format"] == {"type": "json_schema", "json_schema": {"name": "answer", "schema": {}}}
        await engine.close()


@pytest.mark.parametrize(
    ("prompt", "sampling", "words"),
    [
        (FimPrompt("a", "b"), {}, "suffix: the remote server does not fill in the middle"),
        (ChatPrompt((Message("user", "hi"),), (ToolSpec("t", "", "{}"),)), {}, "tools: the remote backend"),
        (TextPrompt("a"), {"grammar": Grammar("lark", "start: /a/")}, "grammar: the remote server takes no lark"),
    ],
)
async def test_what_it_cannot_do_is_named(prompt: Any, sampling: dict[str, Any], words: str) -> None:
    engine = RemoteEngine(ModelInfo("m", 100), EngineSettings(remote_url="http://127.0.0.1:9"), is_heron=False)
    with pytest.raises(UnsupportedFeature, match=words):
        await ask(engine, prompt, **sampling)


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (401, {"message": "no"}, Unauthorized),
        (429, {"message": "later"}, Overloaded),
        (400, {"message": "bad"}, InvalidRequest),
        (400, {"message": "This model's maximum context length is 100 tokens."}, PromptTooLong),
        (400, {"message": "long", "code": "context_length_exceeded"}, PromptTooLong),
        (500, None, HostUnreachable),
    ],
)
async def test_refusals_keep_their_kind(status: int, error: object, kind: type[Exception]) -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.answer({"error": error}, status)

    async with server({"/v1/models": MODELS, "/v1/completions": refuse}) as (_, settings):
        engine = await connect(settings)
        with pytest.raises(kind):
            await ask(engine)
        await engine.close()


async def test_a_server_that_breaks_off_or_is_gone() -> None:
    async def break_off(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.write(event({"choices": [{"text": "a"}]}))

    async with server({"/v1/models": MODELS, "/v1/completions": break_off}) as (_, settings):
        engine = await connect(settings)
        with pytest.raises(HostUnreachable, match="broke off"):
            await ask(engine)
    with pytest.raises(HostUnreachable):
        await ask(engine)
    assert (await engine.metrics())["remote_up"] == 0.0
    await engine.close()
    with pytest.raises(HostUnreachable, match="does not answer"):
        await connect(settings)


async def test_leaving_closes_the_connection() -> None:
    left = asyncio.Event()

    async def go_on(exchange: Exchange) -> None:
        await exchange.begin()
        try:
            while True:
                await exchange.write(event({"choices": [{"text": "a"}]}))
                await asyncio.sleep(0)
        except ConnectionError:
            left.set()
            raise

    async with server({"/v1/models": MODELS, "/v1/completions": go_on}) as (_, settings):
        engine = await connect(settings)
        async with aclosing(engine.generate(GenerateRequest("r", TextPrompt("x")))) as deltas:
            assert (await anext(deltas)).text == "a"
        async with asyncio.timeout(20):
            await left.wait()
        await engine.close()


async def test_a_proxy_that_the_environment_names_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv(name.upper(), "http://127.0.0.1:9")
    async with server({"/v1/models": MODELS, "/v1/completions": stream_answer}) as (_, settings):
        engine = await connect(settings)
        assert "".join(delta.text for delta in await ask(engine)) == "ab"
        await engine.close()
