"""Places where the model was asked and nothing was fit to show: whoever asks there again a moment later is not answered
by the same silence at the same price. The popup and the text drawn inline often ask one after the other.
"""

import time
from collections.abc import Callable

from heron.editor.features.place import Place

KEPT_S = 5.0
"""Other files, which may be shown to the model, change too."""


class Silence:
    """The last such place of each document."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._places: dict[str, tuple[Place, float]] = {}

    def note(self, uri: str, place: Place) -> None:
        """Nothing was offered at a place."""
        self._places[uri] = place, self._clock()

    def is_at(self, uri: str, place: Place) -> bool:
        """Whether nothing was offered at this very place a moment ago."""
        last = self._places.get(uri)
        return last is not None and last[0] == place and self._clock() - last[1] < KEPT_S

    def forget(self, uri: str) -> None:
        """Drop the place of a closed document."""
        self._places.pop(uri, None)
