"""The response cache: what is answered from it, what never is, and how much it keeps."""

from contextlib import aclosing
from dataclasses import replace

import pytest

from heron.host.api.response_cache import ResponseCache
from heron.host.engine.scripted import Script, ScriptedEngine
from heron.wire import Delta, FimPrompt, GenerateRequest, Grammar, ModelInfo, Sampling, TextPrompt

MODEL = replace(Script().model, fingerprint="1")
ASKED = GenerateRequest("r1", TextPrompt("x"))
OTHER_ASKS = [
    replace(ASKED, prompt=TextPrompt("y")),
    replace(ASKED, prompt=TextPrompt("x", parse_special=True)),
    replace(ASKED, prompt=FimPrompt("x", "")),
    replace(ASKED, sampling=Sampling(max_tokens=65)),
    replace(ASKED, sampling=Sampling(stop=("z",))),
    replace(ASKED, sampling=Sampling(logprobs=0)),
    replace(ASKED, sampling=Sampling(logit_bias=((1, 1.0),))),
    replace(ASKED, sampling=Sampling(grammar=Grammar("json_object"))),
    replace(ASKED, sampling=Sampling(temperature=1.0, seed=1)),
    replace(ASKED, sampling=Sampling(temperature=1.0, seed=2)),
    replace(ASKED, sampling=Sampling(temperature=1.0, seed=1, top_p=0.5)),
]


async def answer(cache: ResponseCache, engine: ScriptedEngine, request: GenerateRequest = ASKED) -> list[Delta]:
    return [delta async for delta in cache.generate(engine, request)]


async def test_an_equal_request_is_answered_without_the_engine_in_one_piece() -> None:
    cache, engine = ResponseCache(100_000), ScriptedEngine("an answer of words", model=MODEL)
    asked = replace(ASKED, sampling=Sampling(logprobs=1))
    first = await answer(cache, engine, asked)
    (again,) = await answer(cache, engine, replace(asked, request_id="r2", client="bob", priority="chat"))
    assert len(engine.requests) == 1
    assert again.text == "".join(delta.text for delta in first)
    assert again.token_ids == tuple(token for delta in first for token in delta.token_ids)
    assert again.logprobs == tuple(logprob for delta in first for logprob in delta.logprobs)
    assert again.finish_reason == first[-1].finish_reason
    assert again.usage
    assert again.usage.cached_tokens == again.usage.prompt_tokens > 0


async def test_whatever_shapes_the_answer_is_part_of_the_key() -> None:
    cache, engine = ResponseCache(1_000_000), ScriptedEngine("ok", model=MODEL)
    for request in (ASKED, *OTHER_ASKS):
        await answer(cache, engine, request)
    assert len(engine.requests) == 1 + len(OTHER_ASKS)
    for model in (replace(MODEL, fingerprint="2"), replace(MODEL, id="other"), replace(MODEL, context_window=99)):
        other = ScriptedEngine("else", model=model)
        assert (await answer(cache, other))[0].text == "else"


@pytest.mark.parametrize(
    ("request_", "model"),
    [
        (replace(ASKED, sampling=Sampling(temperature=0.5)), MODEL),
        (replace(ASKED, priority="background"), MODEL),
        (ASKED, ModelInfo("remote", 4096)),
    ],
)
async def test_chance_background_work_and_unknown_files_go_to_the_engine(
    request_: GenerateRequest, model: ModelInfo
) -> None:
    cache, engine = ResponseCache(100_000), ScriptedEngine("ok", model=model)
    for _ in range(2):
        await answer(cache, engine, request_)
    assert len(engine.requests) == 2
    assert cache.metrics()["response_cache_entries"] == 0


async def test_an_answer_that_was_left_is_not_kept() -> None:
    cache, engine = ResponseCache(100_000), ScriptedEngine("a long answer", model=MODEL)
    async with aclosing(cache.generate(engine, ASKED)) as deltas:
        await anext(deltas)
    assert engine.aborted == ["r1"]
    assert len(await answer(cache, engine)) > 1


async def test_the_least_recently_used_go_and_the_bound_holds() -> None:
    cache, engine = ResponseCache(4500), ScriptedEngine("x" * 100, model=MODEL)
    asks = [replace(ASKED, prompt=TextPrompt(str(number))) for number in range(4)]
    for request in (asks[0], asks[1], asks[0], asks[2]):
        await answer(cache, engine, request)
        assert cache.metrics()["response_cache_bytes"] <= 4500
    num_asked = len(engine.requests)
    await answer(cache, engine, asks[0])
    assert len(engine.requests) == num_asked, "used again just before"
    await answer(cache, engine, asks[1])
    assert len(engine.requests) == num_asked + 1, "used least recently"


async def test_an_answer_larger_than_all_is_not_kept() -> None:
    cache, engine = ResponseCache(100), ScriptedEngine("x" * 100, model=MODEL)
    await answer(cache, engine)
    assert cache.metrics()["response_cache_bytes"] == cache.metrics()["response_cache_entries"] == 0
