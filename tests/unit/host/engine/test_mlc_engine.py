"""The adapter over MLC-LLM's surface: what is asked of it, what comes of its answers, and what it cannot do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from heron.errors import HeronError, InvalidRequest, PromptTooLong, SystemFault, UnsupportedFeature, WorkerCrashed
from heron.host.engine.mlc_engine import MlcEngine, MlcStart, start_mlc, with_window
from heron.host.engine.mlc_tokenizer import read_tokenizer
from heron.wire import ChatPrompt, Delta, FimPrompt, GenerateRequest, Grammar, Message, ModelInfo, Sampling, TextPrompt
from mlc_models import make_mlc_folder
from mlc_package import has_real_package, package

pytestmark = pytest.mark.skipif(has_real_package(), reason="the stand-in's own answers; e2e runs the real package")
INFO = ModelInfo("mlc", 128, supports_fim=True, supports_chat=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_mlc_folder(tmp_path_factory.mktemp("mlc") / "tiny")


@pytest.fixture
async def engine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MlcEngine]:
    with package(monkeypatch):
        backend = start_mlc(MlcStart(str(folder), "cpu", None, "local", {"max_single_sequence_length": 128}))
        engine = MlcEngine(backend, read_tokenizer(folder), INFO)
        yield engine
        await engine.close()
        assert backend.terminated


async def ask(engine: MlcEngine, prompt: Any, **sampling: Any) -> list[Delta]:
    request = GenerateRequest("r", prompt, Sampling(**({"max_tokens": 12} | sampling)))
    async with aclosing(engine.generate(request)) as deltas:
        return [delta async for delta in deltas]


def text_of(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas)


def asked(engine: MlcEngine, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What `completions.create` is called with from now on."""
    calls: list[dict[str, Any]] = []
    create = engine._backend.completions.create

    async def note(**arguments: Any) -> Any:
        calls.append(arguments)
        return await create(**arguments)

    monkeypatch.setattr(engine._backend.completions, "create", note)
    return calls


async def test_prompts_go_as_token_ids_of_our_own_templates(
    engine: MlcEngine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = asked(engine, monkeypatch)
    tokenizer = read_tokenizer(folder)
    await ask(engine, ChatPrompt((Message("user", "hi <|im_end|>"),)))
    begin, end = (tokenizer.encode(name, parse_special=True)[0] for name in ("<|im_start|>", "<|im_end|>"))
    sent = calls[0]["prompt"]
    assert sent[0] == begin
    assert sent.count(end) == 1  # what the user writes is no token of ours
    await ask(engine, FimPrompt("def x():\n    re", "\n"), grammar=Grammar("json_object"))
    assert tokenizer.fim is not None
    assert [token for token in calls[1]["prompt"] if token in tokenizer.fim.ids] == [
        tokenizer.fim.prefix, tokenizer.fim.suffix, tokenizer.fim.middle,
    ]  # fmt: skip
    assert "suffix" not in calls[1]
    assert {"<|im_end|>", "<|endoftext|>", "<|fim_suffix|>"} <= set(calls[0]["stop"])


async def test_every_request_has_an_id_of_its_own(engine: MlcEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = asked(engine, monkeypatch)
    both = await asyncio.gather(*(ask(engine, TextPrompt("return")) for _ in range(2)))
    assert text_of(both[0]) == text_of(both[1]) != ""
    assert calls[0]["request_id"] != calls[1]["request_id"]


async def test_sampling_is_passed_on(engine: MlcEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = asked(engine, monkeypatch)
    deltas = await ask(
        engine, TextPrompt("de"), temperature=0.5, top_p=0.9, seed=2**40 + 3, stop=("zz",), logprobs=1,
        logit_bias=((5, 1.5),),
    )  # fmt: skip
    (call,) = calls
    assert (call["temperature"], call["top_p"], call["seed"], call["stop"][0]) == (0.5, 0.9, 3, "zz")
    assert call["logit_bias"] == {5: 1.5}
    logprobs = [logprob for delta in deltas for logprob in delta.logprobs]
    assert len(logprobs) == 12
    assert logprobs[0].logprob == -0.5
    assert logprobs[0].top[0][1] == logprobs[0].token_id >= 0
    plain = await ask(engine, TextPrompt("de"), top_k=1, temperature=1.0)
    assert calls[1]["temperature"] == 0.0
    assert text_of(plain)


@pytest.mark.parametrize(
    ("sampling", "words"),
    [
        ({"top_k": 40, "temperature": 1.0}, "top_k: 40 is not supported by the mlc backend"),
        ({"logprobs": 6}, "logprobs: 6 is not supported by the mlc backend, which takes at most 5"),
        ({"grammar": Grammar("regex", "a+")}, "grammar: regex is not supported by the mlc backend"),
        ({"grammar": Grammar("lark", "start: /a/")}, "takes json_object and json_schema"),
    ],
)
async def test_what_it_cannot_do_is_named(engine: MlcEngine, sampling: dict[str, Any], words: str) -> None:
    with pytest.raises(UnsupportedFeature, match=words) as caught:
        await ask(engine, TextPrompt("de"), **sampling)
    assert caught.value.param == next(iter(sampling))


async def test_json_schemas_go_as_its_own_response_format(engine: MlcEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = asked(engine, monkeypatch)
    schema = '{"type": "object", "x-guidance": {"lenient": true}}'
    deltas = await ask(engine, TextPrompt("de"), grammar=Grammar("json_schema", schema), max_tokens=40)
    assert calls[0]["response_format"] == {"type": "json_object", "schema": '{"type": "object"}'}
    assert text_of(deltas) == '{"answer": 42}'
    assert deltas[-1].finish_reason == "stop"
    with pytest.raises(InvalidRequest, match="it is not a JSON schema"):
        await ask(engine, TextPrompt("de"), grammar=Grammar("json_schema", "{"))


async def test_usage_counts_what_was_cached(engine: MlcEngine) -> None:
    prompt = TextPrompt("return x" * 12)
    first, again = (await ask(engine, prompt))[-1].usage, (await ask(engine, prompt))[-1].usage
    assert first is not None
    assert again is not None
    assert (first.cached_tokens, again.cached_tokens) == (0, (again.prompt_tokens - 1) // 16 * 16)
    told = await engine.metrics()
    assert told["cached_tokens_total"] == again.cached_tokens
    assert told["prefilled_tokens_total"] == 2 * first.prompt_tokens - again.cached_tokens
    assert told["decoded_tokens_total"] == 24
    assert told["run_s_total"] == 1.5


async def test_leaving_cancels_the_task_that_reads(engine: MlcEngine) -> None:
    async with aclosing(engine.generate(GenerateRequest("r", TextPrompt("de"), Sampling(max_tokens=50)))) as deltas:
        await anext(deltas)
    assert engine._backend.num_cancelled == 1
    assert not engine._backend.streams


async def test_the_last_token_of_a_fim_prompt_is_healed(
    engine: MlcEngine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ "re" may go on as "ret", "retu", …: one token is asked for among those, and the rest after it."""
    calls = asked(engine, monkeypatch)
    tokenizer = read_tokenizer(folder)
    deltas = await ask(engine, FimPrompt("x = 1\n    re", "\n"))
    first, second = calls
    assert first["max_tokens"] == 1
    allowed = {tokenizer.decode([token_id]) for token_id in first["logit_bias"]}
    assert allowed == {"re", "ret", "retu", "retur", "return"}
    assert second["prompt"][:-1] == first["prompt"]
    begun = tokenizer.decode([second["prompt"][-1]])
    assert begun in allowed
    assert text_of(deltas).startswith(begun.removeprefix("re"))


async def test_refusals_are_ours(engine: MlcEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PromptTooLong, match="127"):
        await ask(engine, TextPrompt("x" * 200))
    with pytest.raises(InvalidRequest, match="The prompt is empty"):
        await ask(engine, TextPrompt(""))

    async def fail(**arguments: Any) -> Any:
        raise RuntimeError("the device was lost")

    monkeypatch.setattr(engine._backend.completions, "create", fail)
    with pytest.raises(SystemFault, match=r"MLC-LLM failed: RuntimeError: the device was lost\."):
        await ask(engine, TextPrompt("de"))


async def test_closing_ends_what_runs(engine: MlcEngine) -> None:
    async with aclosing(engine.generate(GenerateRequest("r", TextPrompt("de"), Sampling(max_tokens=50)))) as deltas:
        await anext(deltas)
        await engine.close()
        with pytest.raises(WorkerCrashed):
            async for _ in deltas:
                pass
    with pytest.raises(WorkerCrashed):
        await ask(engine, TextPrompt("de"))


def test_what_its_constructor_refuses_is_told(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with package(monkeypatch):
        for start, words in (
            (MlcStart(str(folder), "vulkan", None, "local", {}), "Device is not found"),
            (MlcStart(str(tmp_path), "cpu", None, "local", {}), "FileNotFoundError"),
            (MlcStart(str(folder), "cpu", str(tmp_path / "no.so"), "local", {}), "not a file"),
        ):
            with pytest.raises(HeronError, match=words):
                start_mlc(start)


def test_the_window_is_what_it_took(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with package(monkeypatch):
        backend = start_mlc(MlcStart(str(folder), "cpu", None, "local", {"max_single_sequence_length": 9999}))
    assert with_window(ModelInfo("m", 9999), backend).context_window == 512
