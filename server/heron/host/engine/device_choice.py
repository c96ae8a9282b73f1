"""Where a model runs, and why: on a card or on the CPU.

A device that is named and not there is an error; nothing else takes its place silently.
"""

import platform
from collections.abc import Callable
from dataclasses import dataclass

from heron.errors import HeronError, ResourceError
from heron.host.compiler.gpu.cards import Card, Survey

OLDEST_CAPABILITY = (8, 0)
"""The matrix kernel's `mma` on bytes came with it (Ampere)."""

Fit = Callable[[Card], object]
"""Raises a HeronError if the model does not run on a card, or does not fit its free memory."""


@dataclass(frozen=True, slots=True)
class Place:
    """A card, or None for the CPU; `reason` is a sentence for the user."""

    card: Card | None
    reason: str


def choose_place(setting: str, survey: Callable[[], Survey], fit: Fit) -> Place:
    """The place that `engine.device` names; for `auto` the card with the most free memory that fits, else the CPU.

    Raises ResourceError if what is named is not there, and what `fit` raises if the model does not go there.
    """
    if setting == "cpu":
        return Place(None, "The model runs on the CPU, as engine.device says.")
    kind = setting.partition(":")[0]
    if kind == "metal":
        raise _refuse_metal()
    if kind in ("vulkan", "rocm"):
        raise ResourceError(f"engine.device is {setting}, where only MLC-LLM runs models.", hint="Use auto or cpu.")
    found = survey()
    if setting == "auto":
        return _choose_freely(found, fit)
    return _choose_named(setting, found, fit)


def _choose_freely(found: Survey, fit: Fit) -> Place:
    refusals = [] if found.cards and not found.problem else [found.problem]
    for card in _by_free_memory(found) if not found.problem else ():
        try:
            return _take(card, fit)
        except HeronError as error:
            refusals.append(error.message.rstrip("."))
    return Place(None, f"The model runs on the CPU: {'; '.join(refusals)}.")


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
    return Place(card, f"The model runs on {card.describe()}.")


def _by_free_memory(found: Survey) -> list[Card]:
    return sorted(found.cards, key=lambda card: (-card.free_bytes, card.index))


def _list(found: Survey) -> str:
    return f" Found: {', '.join(card.describe() for card in found.cards)}." if found.cards else ""


def _refuse_metal() -> ResourceError:
    why = "on which Heron does not run models yet"
    if (system := platform.system()) != "Darwin":
        why = f"which only Apple's systems have; this is {system}"
    return ResourceError(f"engine.device is metal, {why}.", hint="Use auto or cpu.")
