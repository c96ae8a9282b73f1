"""How fast keys follow one another and answers come: a request that the next key would drop waits a little first."""

_NEWEST_SHARE = 0.2
_PAUSE_S = 1.0
"""Longer gaps are pauses, not typing."""
_MOST_S = 0.15
_ASSUMED_GAP_S = 0.2


class Rhythm:
    """Running means of the gaps between keys and of the time to an answer, in seconds. Has no clock of its own."""

    def __init__(self) -> None:
        self._gap_s = _ASSUMED_GAP_S
        self._answer_s = 0.0
        self._last_key: float | None = None

    def note_key(self, at: float) -> None:
        """A request came at a time."""
        if self._last_key is not None and 0 < at - self._last_key < _PAUSE_S:
            self._gap_s += _NEWEST_SHARE * (at - self._last_key - self._gap_s)
        self._last_key = at

    def note_answer(self, seconds: float) -> None:
        """The model answered, or was dropped after so long."""
        self._answer_s += _NEWEST_SHARE * (seconds - self._answer_s)

    @property
    def delay_s(self) -> float:
        """How long to wait for the next key before the model is asked: nothing where answers come between two keys."""
        return 0.0 if self._answer_s <= self._gap_s else min(_MOST_S, self._gap_s / 2)
