"""A real model on an NVIDIA card, from the settings to the answer. Skipped, and said so, where there is no card."""

import asyncio
from contextlib import aclosing
from inspect import getsource
from pathlib import Path

import pytest

from heron.errors import OutOfMemory, ResourceError
from heron.host.compiler.gpu.cards import list_cards
from heron.host.compiler.gpu.cuda_device import CudaDevice
from heron.host.compiler.gpu.survey import survey_cards
from heron.host.engine.engine import Engine
from heron.host.engine.load import load_engine
from heron.host.engine.local_engine import LocalEngine
from heron.host.models.catalog import find_model
from heron.host.models.fetch import ensure_model
from heron.host.models.store import Store
from heron.host.pool import Pool
from heron.settings import ModelSettings, Settings, load_settings
from heron.wire import Delta, GenerateRequest, Health, Sampling, TextPrompt, Usage
from homes import CODER, STORE

WAIT_S = 120
NEAR_TIE = 0.5
"""Difference of log probabilities below which card and CPU may choose differently: activations have 8 bits."""


@pytest.fixture(scope="module")
def card_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a real model, where there is a card that can be used."""
    found = survey_cards()
    if found.problem or not found.cards:
        pytest.skip(f"{found.problem}: no model was run on a card")
    ensure_model(find_model(CODER), Store(STORE), ModelSettings(), lambda progress: None)
    home = tmp_path_factory.mktemp("card-home")
    (home / "models").symlink_to(STORE / "models")
    return home


@pytest.fixture(autouse=True)
def in_card_home(card_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERON_HOME", str(card_home))
    monkeypatch.setenv("HERON_MODEL", CODER)


def settings_for(device: str, **engine: object) -> Settings:
    return load_settings({"engine": {"device": device, "speculation": "off", **engine}})


def load(device: str, **engine: object) -> tuple[LocalEngine, list[Health]]:
    told: list[Health] = []
    return load_engine(settings_for(device, **engine), told.append), told


def prompts() -> list[TextPrompt]:
    """Stretches of real code of some hundred tokens, none a prefix of another."""
    text = getsource(asyncio.queues)
    return [TextPrompt(text[start : start + 1200]) for start in (0, 1700, 3900, 5100)]


async def answer(engine: Engine, prompt: TextPrompt, max_tokens: int = 32) -> tuple[list[Delta], Usage]:
    """The greedy answer's deltas, each token with its likeliest alternatives."""
    request = GenerateRequest(f"{id(prompt)}", prompt, Sampling(max_tokens=max_tokens, logprobs=5))
    async with aclosing(engine.generate(request)) as stream:
        deltas = [delta async for delta in stream]
    return deltas, next(delta.usage for delta in reversed(deltas) if delta.usage)


def assert_alike(found: list[Delta], expected: list[Delta]) -> None:
    """The same tokens, or another where the expected one was hardly likelier; after that texts go their own ways."""
    tokens, others = ([item for delta in deltas for item in delta.logprobs] for deltas in (found, expected))
    for token, other in zip(tokens, others, strict=False):
        if token.token_id == other.token_id:
            assert abs(token.logprob - other.logprob) < NEAR_TIE
            continue
        likelihoods = {token_id: logprob for _, token_id, logprob in other.top}
        assert likelihoods.get(token.token_id, -99.0) > other.logprob - NEAR_TIE
        return


async def answers_of(device: str) -> list[list[Delta]]:
    engine, told = load(device)
    try:
        assert any(engine.model.place in health.message for health in told)
        assert engine.model.place.startswith(f"The model runs on {'the CPU' if device == 'cpu' else 'cuda:0 ('}")
        return [(await answer(engine, prompt))[0] for prompt in prompts()]
    finally:
        await engine.close()


async def test_the_model_goes_onto_the_card_and_answers_as_on_the_cpu() -> None:
    on_cpu = await answers_of("cpu")
    for device in ("cuda", "cuda:0", "auto"):
        for found, expected in zip(await answers_of(device), on_cpu, strict=True):
            assert_alike(found, expected)


async def test_cached_and_batched_prompts_are_answered_alike() -> None:
    engine, _ = load("cuda")
    try:
        fresh = [await answer(engine, prompt) for prompt in prompts()]
        cached = [await answer(engine, prompt) for prompt in prompts()]
    finally:
        await engine.close()
    engine, _ = load("cuda")
    try:
        batched = await asyncio.gather(*(answer(engine, prompt) for prompt in prompts()))
    finally:
        await engine.close()
    for found in (cached, batched):
        for (deltas, _), (expected, _) in zip(found, fresh, strict=True):
            assert_alike(deltas, expected)
    assert all(usage.cached_tokens == 0 for _, usage in (*fresh, *batched))
    assert all(usage.cached_tokens >= usage.prompt_tokens - 16 for _, usage in cached)


async def test_drafts_are_verified_alike() -> None:
    """Repetitive text, so that many drafts are taken."""
    request = GenerateRequest("repeats", TextPrompt("one two three four five six\n" * 12), Sampling(max_tokens=48))
    texts = []
    for speculation in ("off", "auto"):
        engine, _ = load("cuda", speculation=speculation)
        try:
            async with aclosing(engine.generate(request)) as deltas:
                texts.append("".join([delta.text async for delta in deltas]))
            accepted = (await engine.metrics())["accepted_draft_tokens_total"]
        finally:
            await engine.close()
        assert (accepted > 0) == (speculation == "auto")
    assert texts[0] == texts[1]


async def test_a_worker_frees_pages_when_left_and_memory_when_it_ends() -> None:
    before = list_cards().cards[0].free_bytes
    pool = Pool(settings_for("cuda"))
    await pool.start()
    try:
        engine = await pool.engine(WAIT_S)
        assert list_cards().cards[0].free_bytes < before - 100_000_000
        request = GenerateRequest("long", prompts()[0], Sampling(max_tokens=2000))
        async with aclosing(engine.generate(request)) as deltas:
            async for _ in deltas:
                break
        async with asyncio.timeout(WAIT_S):
            while (metrics := await engine.metrics())["running_requests"]:
                pass
        assert metrics["used_pages"] == 0
        assert metrics["decoded_tokens_total"] < 1000
    finally:
        await pool.close()
    assert list_cards().cards[0].free_bytes > before - 50_000_000


def test_a_card_that_is_not_there_is_named() -> None:
    with pytest.raises(ResourceError, match=r"engine.device is cuda:7, which is not there. Found: cuda:0 \("):
        load("cuda:7")


def test_a_budget_too_small_is_named() -> None:
    with pytest.raises(OutOfMemory, match=r"cuda:0 \(.* MB of weights"):
        load("cuda", memory_budget_mb=64)


def test_more_than_the_card_holds_is_out_of_memory() -> None:
    with pytest.raises(OutOfMemory, match="The GPU has no room for"):
        CudaDevice().allocate((list_cards().cards[0].total_bytes + 1,), "int8")
