"""What fits the memory, what is shrunk and said, what is refused with numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.errors import OutOfMemory
from heron.host.engine.budget import MemoryNeed, plan_memory, wanted_cache_tokens
from heron.settings import EngineSettings

MB = 1_000_000
NEED = MemoryNeed(weight_bytes=400 * MB, page_bytes=200_000, page_size=16, window=32768)
MUCH = 16_000 * MB


def test_with_much_memory_everything_asked_for_is_there() -> None:
    plan = plan_memory(NEED, EngineSettings(), MUCH)
    assert (plan.cache_tokens, plan.window, plan.warning) == (8192, 4096, "")


def test_a_large_window_gets_a_cache_for_two() -> None:
    plan = plan_memory(NEED, EngineSettings(context_window=32768), MUCH)
    assert (plan.cache_tokens, plan.window) == (65536, 32768)


def test_a_window_ends_where_the_model_was_trained() -> None:
    assert plan_memory(NEED, EngineSettings(context_window=131072), MUCH).window == 32768


def test_the_cache_shrinks_to_the_budget_and_says_so() -> None:
    plan = plan_memory(NEED, EngineSettings(context_window=32768, memory_budget_mb=850), MUCH)
    assert plan.cache_tokens == plan.window == 16 * 1000
    assert "16000 of 65536 tokens (200 MB of 819 MB); the context window is 16000 tokens" in plan.warning


def test_a_set_cache_is_a_cap() -> None:
    assert plan_memory(NEED, EngineSettings(cache_tokens=2000), MUCH).cache_tokens == 2000
    assert wanted_cache_tokens(EngineSettings(cache_tokens=2000)) == 2000
    assert wanted_cache_tokens(EngineSettings(cache_tokens=1)) == 256


def test_half_of_what_is_free_is_the_budget_unless_one_is_set() -> None:
    assert plan_memory(NEED, EngineSettings(), 1500 * MB).cache_tokens == 8000
    assert plan_memory(NEED, EngineSettings(memory_budget_mb=1400), 1500 * MB).cache_tokens == 8192


def test_too_little_is_refused_with_what_it_needs_and_what_there_is() -> None:
    with pytest.raises(OutOfMemory) as caught:
        plan_memory(NEED, EngineSettings(), 1000 * MB)
    assert "needs at least 663 MB" in str(caught.value)
    assert "has 500 MB (half of what is free; 1000 MB are free)" in str(caught.value)
    with pytest.raises(OutOfMemory, match=r"has 600 MB \(engine.memory_budget_mb"):
        plan_memory(NEED, EngineSettings(memory_budget_mb=600), MUCH)


def test_a_budget_beyond_what_is_free_does_not_make_the_machine_swap() -> None:
    with pytest.raises(OutOfMemory, match="has 540 MB"):
        plan_memory(NEED, EngineSettings(memory_budget_mb=8000), 600 * MB)


@given(st.integers(0, 4000), st.integers(256, 131072), st.integers(0, 100_000), st.integers(0, 8000))
def test_what_is_planned_always_fits(budget_mb: int, window: int, cache_tokens: int, free_mb: int) -> None:
    settings = EngineSettings(context_window=window, cache_tokens=cache_tokens, memory_budget_mb=budget_mb)
    try:
        plan = plan_memory(NEED, settings, free_mb * MB)
    except OutOfMemory:
        return
    taken = NEED.weight_bytes + plan.cache_tokens // 16 * NEED.page_bytes
    assert taken <= min(budget_mb or free_mb / 2, 0.9 * free_mb) * MB
    assert 0 < plan.window <= min(plan.cache_tokens, window, NEED.window)
    assert plan.cache_tokens < wanted_cache_tokens(settings) + 16
