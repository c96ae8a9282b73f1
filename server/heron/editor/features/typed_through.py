"""Completions remembered while the user types what they offer, so that the rest is served without the model."""

from collections import deque
from dataclasses import dataclass

from heron.editor.features.place import Place

_PER_DOCUMENT = 16
_DOCUMENTS = 32


@dataclass(frozen=True, slots=True)
class Offer:
    """A completion and where it was offered."""

    place: Place
    text: str


class TypedThrough:
    """The last offers of the last documents. What it serves, put behind what was typed, is the text once offered."""

    def __init__(self) -> None:
        self._offers: dict[str, deque[Offer]] = {}

    def add(self, uri: str, offer: Offer) -> None:
        """Remember an offer, the newest first; the document counts as used."""
        offers = self._offers.pop(uri, None) or deque(maxlen=_PER_DOCUMENT)
        offers.appendleft(offer)
        self._offers[uri] = offers
        if len(self._offers) > _DOCUMENTS:
            del self._offers[next(iter(self._offers))]

    def find(self, uri: str, place: Place) -> str | None:
        """The rest of the newest offer that was typed up to `place`, never empty; None without one."""
        for offer in self._offers.get(uri, ()):
            typed = place.typed_since(offer.place)
            if typed is not None and offer.text.startswith(typed) and len(typed) < len(offer.text):
                return offer.text[len(typed) :]
        return None

    def forget(self, uri: str) -> None:
        """Drop the offers of a closed document."""
        self._offers.pop(uri, None)
