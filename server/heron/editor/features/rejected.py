"""What was sent away, or shown long enough to be read and then typed over, is not shown again right away."""

import time
from collections import deque

from heron.editor.features.place import Place
from heron.editor.features.typed_through import Offer

SEEN_S = 0.5
"""A completion that stood for less was not read."""
LEAST_CHARACTERS = 8
NEAR_CHARACTERS = 200
_PER_DOCUMENT = 8


class Rejected:
    """The last completion shown in each document, and those before it that were typed over."""

    def __init__(self) -> None:
        self._shown: dict[str, tuple[Offer, float]] = {}
        self._rejected: dict[str, deque[Offer]] = {}

    def show(self, uri: str, offer: Offer) -> None:
        """An offer is shown from now on."""
        self._shown[uri] = offer, time.monotonic()

    def move(self, uri: str, place: Place) -> None:
        """The cursor came to a place: what is shown was rejected if something else was typed."""
        shown = self._shown.get(uri)
        typed = shown and place.typed_since(shown[0].place)
        if shown and typed and not shown[0].text.startswith(typed):
            del self._shown[uri]
            if time.monotonic() - shown[1] >= SEEN_S:
                self._reject(uri, shown[0])

    def dismiss(self, uri: str) -> None:
        """What is shown was sent away."""
        if shown := self._shown.pop(uri, None):
            self._reject(uri, shown[0])

    def has(self, uri: str, place: Place, text: str) -> bool:
        """Whether the same text, or what is left of it where its beginning was typed, was rejected near a place."""
        bare = text.strip()
        return len(bare) >= LEAST_CHARACTERS and any(
            _left_of(offer, place).strip() == bare and abs(offer.place.offset - place.offset) <= NEAR_CHARACTERS
            for offer in self._rejected.get(uri, ())
        )

    def forget(self, uri: str) -> None:
        """Drop what is kept of a closed document."""
        self._shown.pop(uri, None)
        self._rejected.pop(uri, None)

    def _reject(self, uri: str, offer: Offer) -> None:
        self._rejected.setdefault(uri, deque(maxlen=_PER_DOCUMENT)).append(offer)


def _left_of(offer: Offer, place: Place) -> str:
    typed = place.typed_since(offer.place)
    return offer.text[len(typed) :] if typed and offer.text.startswith(typed) else offer.text
