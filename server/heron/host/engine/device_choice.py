"""Where a model runs, and why: on an NVIDIA card, by Metal, or on the CPU.

A device that is named and not there is an error; nothing else takes its place silently.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from heron.errors import HeronError, ResourceError
from heron.host.compiler.gpu.cards import Card, Survey
from heron.host.compiler.gpu.metal_survey import MetalSurvey, survey_metal
from heron.host.compiler.gpu.survey import survey_cards

OLDEST_CAPABILITY = (8, 0)
"""The matrix kernel's `mma` on bytes came with it (Ampere)."""

Fit = Callable[[Card], object]
"""Raises a HeronError if the model does not run on a card, or does not fit its free memory."""


@dataclass(frozen=True, slots=True)
class Surveys:
    """How to see what there is. Asked only for what the setting names."""

    cards: Callable[[], Survey] = survey_cards
    metal: Callable[[], MetalSurvey] = survey_metal


@dataclass(frozen=True, slots=True)
class Place:
    """The kind of device, and the card if it is one; `reason` is a sentence for the user."""

    kind: Literal["cpu", "cuda", "metal"]
    reason: str
    card: Card | None = None


def choose_place(setting: str, fit: Fit, surveys: Surveys | None = None) -> Place:
    """The place that `engine.device` names; for `auto` the card with the most free memory that fits, else the CPU.

    Raises ResourceError if what is named is not there, and what `fit` raises if the model does not go there.
    """
    surveys = surveys or Surveys()
    if setting == "cpu":
        return Place("cpu", "The model runs on the CPU, as engine.device says.")
    kind, _, number = setting.partition(":")
    if kind == "metal":
        return _choose_metal(number, surveys.metal())
    if kind in ("vulkan", "rocm"):
        raise ResourceError(f"engine.device is {setting}, where only MLC-LLM runs models.", hint="Use auto or cpu.")
    found = surveys.cards()
    if setting == "auto":
        return _choose_freely(found, fit, surveys.metal)
    return _choose_named(setting, found, fit)


def _choose_metal(number: str, found: MetalSurvey) -> Place:
    if found.problem:
        raise ResourceError(f"engine.device is metal, but {found.problem}.", hint=found.remedy)
    if number not in ("", "0"):
        raise ResourceError(f"engine.device is metal:{number}, which is not there.", hint="A Mac has only metal:0.")
    return Place("metal", "The model runs on this Mac's GPU by Metal.")


def _choose_freely(found: Survey, fit: Fit, metal: Callable[[], MetalSurvey]) -> Place:
    """Metal is not taken by itself until it has been measured on Apple's hardware; that it is there is said."""
    refusals = [] if found.cards and not found.problem else [found.problem]
    for card in _by_free_memory(found) if not found.problem else ():
        try:
            return _take(card, fit)
        except HeronError as error:
            refusals.append(error.message.rstrip("."))
    if not found.cards and not metal().problem:
        refusals = ['engine.device = "metal" tries this Mac\'s GPU, which Heron does not take by itself yet']
    return Place("cpu", f"The model runs on the CPU: {'; '.join(refusals)}.")


def _choose_named(setting: str, found: Survey, fit: Fit) -> Place:
    if found.problem:
        raise ResourceError(f"engine.device is {setting}, but {found.problem}.{_list(found)}", hint=found.remedy)
    _, _, number = setting.partition(":")
    cards = [card for card in _by_free_memory(found) if number in ("", str(card.index))]
    if not cards:
        raise ResourceError(f"engine.device is {setting}, which is not there.{_list(found)}", hint="Name one of these.")
    *others, last = cards
    for card in others:
        try:
            return _take(card, fit)
        except HeronError:
            continue
    return _take(last, fit)


def _take(card: Card, fit: Fit) -> Place:
    if card.capability < OLDEST_CAPABILITY:
        oldest = "sm_{}{}".format(*OLDEST_CAPABILITY)
        raise ResourceError(f"{card.describe()} is too old: Heron's kernels need {oldest} or newer.")
    fit(card)
    return Place("cuda", f"The model runs on {card.describe()}.", card)


def _by_free_memory(found: Survey) -> list[Card]:
    return sorted(found.cards, key=lambda card: (-card.free_bytes, card.index))


def _list(found: Survey) -> str:
    return f" Found: {', '.join(card.describe() for card in found.cards)}." if found.cards else ""
