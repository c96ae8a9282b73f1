"""Who chooses what to look at: Heron's gate for small models, the model itself by calling tools for large ones.

A small model that was told to choose does so in a way of its own: see `looking`.
"""

import re
from typing import Literal

from heron.settings import ToolChoice
from heron.wire import ModelInfo

Mode = Literal["gather", "look", "model"]
_SIZE = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)(b|m)(?![a-z])", re.IGNORECASE)
_LARGE_BILLIONS = 3.0
"""Below this, models call tools that do not help, or none, more often than the question alone misleads."""


def choose_mode(choice: ToolChoice, model: ModelInfo) -> Mode:
    """What the setting says; for auto the model's size by its name, one that tells none being taken for large."""
    size = billions(model.id)
    is_small = size is not None and size < _LARGE_BILLIONS
    if choice != "auto":
        return "look" if choice == "model" and is_small else choice
    if is_small:
        return "gather"
    return "model" if model.supports_tools or not model.supports_chat else "gather"


def billions(name: str) -> float | None:
    """Parameters, in billions, that a model's name tells: `qwen2.5-coder-0.5b` has 0.5; None if it tells none."""
    found = _SIZE.search(name)
    if found is None:
        return None
    return float(found[1]) / (1000 if found[2].lower() == "m" else 1)
