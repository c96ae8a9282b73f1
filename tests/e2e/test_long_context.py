"""A window of 32k tokens on the real default model: what the memory does not hold slides or is refused, as set."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from heron.errors import OutOfMemory, PromptTooLong
from heron.host.engine.load import load_engine
from heron.host.engine.local_engine import LocalEngine
from heron.settings import EngineSettings, LongPrompt, ModelSettings, Settings
from heron.wire import Health, TextPrompt
from homes import CODER
from real_models import answer

WINDOW = 32768
BUDGET_MB = 770
"""The 0.5B takes 482 MB of weights and 250 MB to run; 12 KB for each token of the cache."""
FILLING = "".join(f"value_{number} = {number}\n" for number in range(6000))
PROMPT = TextPrompt(f'BIRD = "grey heron"\n{FILLING}print(BIRD)  # prints: ')


def settings_of(long_prompt: LongPrompt, budget_mb: int = BUDGET_MB) -> Settings:
    engine = EngineSettings(context_window=WINDOW, memory_budget_mb=budget_mb, long_prompt=long_prompt)
    return Settings(model=ModelSettings(name=CODER), engine=engine)


@asynccontextmanager
async def loaded(settings: Settings, reports: list[Health]) -> AsyncIterator[LocalEngine]:
    engine = await asyncio.to_thread(load_engine, settings, reports.append)
    try:
        yield engine
    finally:
        await engine.close()


async def test_a_prompt_beyond_the_budget_slides(real_home: Path) -> None:
    reports: list[Health] = []
    async with loaded(settings_of("slide"), reports) as engine:
        window = engine.model.context_window
        text, usage = await answer(engine, PROMPT, 8)
    assert 1024 <= window < WINDOW // 4
    assert any(f"the context window is {window} tokens" in report.message for report in reports)
    assert window // 2 < usage.prompt_tokens <= window - 8
    assert "grey heron" in text  # the beginning is still there, and so is the end


async def test_a_prompt_beyond_the_budget_is_refused_with_numbers(real_home: Path) -> None:
    async with loaded(settings_of("refuse"), []) as engine:
        room = engine.model.context_window - 1
        with pytest.raises(PromptTooLong, match=rf"is \d{{5}} tokens long and .* leaves room for {room}\."):
            await answer(engine, PROMPT, 8)
        assert (await answer(engine, TextPrompt("def add(a, b):\n    return a"), 4))[0].startswith(" + b")


def test_a_budget_without_room_for_the_model_is_refused_before_it_is_loaded(real_home: Path) -> None:
    with pytest.raises(OutOfMemory, match=r"needs at least \d+ MB .* and has 500 MB \(engine.memory_budget_mb"):
        load_engine(settings_of("slide", 500), lambda health: None)
