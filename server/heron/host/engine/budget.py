"""How many pages of KV cache a model gets, so that weights and cache fit what is free before the system swaps.

What is free is measured (memory that can be had without pushing others out, within the control group's limit), never a
share of what the machine has. Pages are only touched as they are first written, so that unused ones take nothing.
"""

from dataclasses import dataclass

from heron.errors import OutOfMemory
from heron.settings import EngineSettings

_FREE_SHARE = 0.5
"""Of what is free, unless the settings name a budget."""
_SAFE_SHARE = 0.9
"""Of what is free, whatever the settings name."""
_LEAST_CACHE_TOKENS = 8192
_LEAST_SET_TOKENS = 256
"""What a smaller setting is taken for."""
_LEAST_USEFUL_TOKENS = 1024
"""With a smaller cache there is no point in starting."""
_RUNTIME_BYTES = 250_000_000
"""Interpreter, tokenizer, activations and logits of the largest step."""


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """What a model takes. `window` is the longest context it was trained for, in tokens."""

    weight_bytes: int
    page_bytes: int
    page_size: int
    window: int


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """What it gets; `warning` says so if that is less than the settings ask for."""

    cache_tokens: int
    window: int
    warning: str = ""


def wanted_cache_tokens(settings: EngineSettings) -> int:
    """The cache the settings ask for, memory permitting: two windows let one request leave the other's pages alone."""
    if settings.cache_tokens:
        return max(settings.cache_tokens, _LEAST_SET_TOKENS)
    return max(_LEAST_CACHE_TOKENS, 2 * settings.context_window)


def plan_memory(need: MemoryNeed, settings: EngineSettings, free_bytes: int) -> MemoryPlan:
    """The cache and the context window within the budget.

    OutOfMemory, with what it needs and what there is, if not even a small cache fits.
    """
    window = min(settings.context_window, need.window)
    wanted = _pages(wanted_cache_tokens(settings), need)
    budget = _budget_bytes(settings, free_bytes)
    affordable = (budget - need.weight_bytes - _RUNTIME_BYTES) // need.page_bytes
    if affordable < min(wanted, _pages(min(window, _LEAST_USEFUL_TOKENS), need)):
        refusal = _refusal(need, settings, budget, free_bytes)
        raise OutOfMemory(refusal, hint="Free memory, choose a smaller model, or raise engine.memory_budget_mb.")
    cache_tokens = min(wanted, affordable) * need.page_size
    plan = MemoryPlan(cache_tokens, min(window, cache_tokens))
    return plan if affordable >= wanted else MemoryPlan(plan.cache_tokens, plan.window, _warning(plan, need, wanted))


def _budget_bytes(settings: EngineSettings, free_bytes: int) -> int:
    asked = settings.memory_budget_mb * 1_000_000 or int(_FREE_SHARE * free_bytes)
    return min(asked, int(_SAFE_SHARE * free_bytes))


def _pages(num_tokens: int, need: MemoryNeed) -> int:
    return -(-num_tokens // need.page_size)


def _refusal(need: MemoryNeed, settings: EngineSettings, budget: int, free_bytes: int) -> str:
    least = _pages(min(settings.context_window, _LEAST_USEFUL_TOKENS), need) * need.page_bytes
    total = need.weight_bytes + _RUNTIME_BYTES + least
    parts = f"{_mb(need.weight_bytes)} of weights, {_mb(_RUNTIME_BYTES)} to run, {_mb(least)} of KV cache"
    source = "engine.memory_budget_mb" if settings.memory_budget_mb else "half of what is free"
    return (
        f"The model needs at least {_mb(total)} of memory ({parts}) and has {_mb(budget)} "
        f"({source}; {_mb(free_bytes)} are free)."
    )


def _warning(plan: MemoryPlan, need: MemoryNeed, wanted: int) -> str:
    asked = wanted * need.page_size
    return (
        f"The memory budget leaves a KV cache of {plan.cache_tokens} of {asked} tokens "
        f"({_mb(plan.cache_tokens // need.page_size * need.page_bytes)} of {_mb(wanted * need.page_bytes)}); "
        f"the context window is {plan.window} tokens."
    )


def _mb(num_bytes: int) -> str:
    return f"{num_bytes / 1e6:.0f} MB"
