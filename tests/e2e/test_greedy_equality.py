"""The same greedy text however a prompt comes to the model: at once, in chunks, from the cache, beside others."""

import asyncio
from inspect import getsource
from pathlib import Path

import pytest

from heron.host.engine.scheduler import SchedulerLimits
from heron.wire import TextPrompt
from homes import CODER, SMALL
from real_models import answer, open_engine


def prompts() -> list[TextPrompt]:
    """Stretches of real code of some hundred tokens, none a prefix of another."""
    text = getsource(asyncio.queues)
    return [TextPrompt(text[start : start + 1200]) for start in (0, 1700, 3900)]


@pytest.mark.parametrize("name", [SMALL, CODER])
async def test_fresh_cached_chunked_and_batched_prompts_are_answered_alike(real_home: Path, name: str) -> None:
    async with open_engine(real_home, name) as engine:
        fresh = [await answer(engine, prompt) for prompt in prompts()]
        cached = [await answer(engine, prompt) for prompt in prompts()]
    async with open_engine(real_home, name, limits=SchedulerLimits(max_step_tokens=48)) as engine:
        chunked = [await answer(engine, prompt) for prompt in prompts()]
    async with open_engine(real_home, name) as engine:
        batched = await asyncio.gather(*(answer(engine, prompt) for prompt in prompts()))
    expected = [text for text, _ in fresh]
    assert all(expected)
    for found in (cached, chunked, batched):
        assert [text for text, _ in found] == expected
    assert all(usage.cached_tokens == 0 for _, usage in (*fresh, *chunked, *batched))
    assert all(usage.cached_tokens >= usage.prompt_tokens - 16 for _, usage in cached)
