"""The scripted engine keeps the engine's contract, so that what is tested over it holds for a model."""

import asyncio
from contextlib import aclosing

import pytest

from heron.errors import InvalidRequest, Overloaded
from heron.host.engine.scripted import Answer, Reply, Rule, Script, ScriptedEngine, prompt_text
from heron.wire import (
    ChatPrompt,
    Delta,
    FimPrompt,
    GenerateRequest,
    Message,
    Prompt,
    Sampling,
    TextPrompt,
    TokenPrompt,
    Usage,
)


def make_request(prompt: str = "x", sampling: Sampling | None = None) -> GenerateRequest:
    return GenerateRequest("r", TextPrompt(prompt), sampling or Sampling())


async def collect(engine: ScriptedEngine, request: GenerateRequest) -> list[Delta]:
    async with aclosing(engine.generate(request)) as deltas:
        return [delta async for delta in deltas]


def joined(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas)


async def test_answers_in_small_deltas_the_last_with_usage() -> None:
    engine = ScriptedEngine("hello world")
    deltas = await collect(engine, make_request("12345"))
    assert joined(deltas) == "hello world"
    assert len(deltas) == 4
    assert [delta.finish_reason for delta in deltas] == [None, None, None, "stop"]
    assert deltas[-1].usage == Usage(prompt_tokens=2, completion_tokens=3)
    assert engine.requests == [make_request("12345")]
    assert engine.aborted == []


async def test_finds_the_answer_by_what_the_prompt_contains() -> None:
    for answers in (
        {"def": "one", "class": Reply("two")},
        Script((Rule("def", Reply("one")), Rule("class", Reply("two")))),
        lambda request: "one" if "def" in prompt_text(request.prompt) else "two" * ("class" in request.prompt.text),
    ):
        engine = ScriptedEngine(answers)  # type: ignore[arg-type]
        assert [joined(await collect(engine, make_request(text))) for text in ("def", "class", "x")] == [
            "one",
            "two",
            "",
        ]


async def test_honours_max_tokens_and_stop_strings() -> None:
    engine = ScriptedEngine("hello world")
    cut = await collect(engine, make_request(sampling=Sampling(max_tokens=2)))
    assert (joined(cut), cut[-1].finish_reason) == ("hello wo", "length")
    whole = await collect(engine, make_request(sampling=Sampling(max_tokens=3)))
    assert (joined(whole), whole[-1].finish_reason) == ("hello world", "stop")
    stopped = await collect(engine, make_request(sampling=Sampling(stop=("o w",))))
    assert (joined(stopped), stopped[-1].finish_reason) == ("hell", "stop")


async def test_shows_logprobs_when_asked() -> None:
    engine = ScriptedEngine("hello")
    deltas = await collect(engine, make_request(sampling=Sampling(logprobs=1)))
    assert [shown.text for delta in deltas for shown in delta.logprobs] == ["hell", "o"]


@pytest.mark.parametrize("answer", [Overloaded("Full."), Reply("x")])
async def test_raises_errors_and_refuses_bad_parameters(answer: Answer) -> None:
    engine = ScriptedEngine(lambda request: answer)
    if isinstance(answer, Overloaded):
        with pytest.raises(Overloaded, match="Full"):
            await collect(engine, make_request())
    with pytest.raises(InvalidRequest):
        await collect(engine, make_request(sampling=Sampling(max_tokens=0)))
    assert engine.aborted == []


async def test_holds_streams_open_and_notes_who_leaves() -> None:
    engine = ScriptedEngine(Script(otherwise=Reply("hello world", hold_after=1)))
    task = asyncio.create_task(collect(engine, make_request()))
    await engine.wait_for(lambda engine: len(engine.requests) == 1)
    task.cancel()
    await engine.wait_for(lambda engine: engine.aborted == ["r"])
    assert (await engine.metrics())["running_requests"] == 0


async def test_goes_on_after_a_release() -> None:
    engine = ScriptedEngine("hello world")
    engine.hold()
    async with aclosing(engine.generate(make_request())) as deltas:
        first = asyncio.ensure_future(anext(deltas))
        await engine.wait_for(lambda engine: bool(engine.requests))
        assert not first.done()
        engine.release()
        assert (await first).text == "hell"


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        (TextPrompt("a"), "a"),
        (FimPrompt("a", "b"), "a│b"),
        (ChatPrompt((Message("system", "a"), Message("user", "b"))), "a\nb"),
        (TokenPrompt((1, 22)), "1 22"),
    ],
)
def test_every_prompt_has_a_text(prompt: Prompt, text: str) -> None:
    assert prompt_text(prompt) == text
