"""What is to be loaded of a model of MLC-LLM's."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heron.host.compiler.mlc_probe import probe_library
from heron.host.engine.mlc_survey import MlcOffer
from heron.settings import Settings


@dataclass(frozen=True, slots=True)
class MlcJob:
    """A model to be loaded; `reason` is why by this engine, for people."""

    model_id: str
    folder: Path
    settings: Settings
    offer: MlcOffer
    reason: str
    read_library: Callable[[Path], dict[str, Any]] = probe_library

    @property
    def window(self) -> int:
        """Most tokens of a request."""
        return self.settings.engine.context_window
