"""What an editor's user did with completions: shown, accepted, partly accepted, rejected, and what was kept of them.

Editors tell of a completion by its text alone (the convention of Copilot's language server), so the last offers are
remembered here, in memory; the store gets numbers.
"""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from heron.editor.document import Document
from heron.editor.stats.store import Outcome, Record, StatsStore
from heron.editor.stats.survival import Survival

KEPT_AFTER_S = 30.0
_REMEMBERED = 32
_BARELY = 2
"""Characters that are left of a completion which counts as typed by hand."""

Later = Callable[[float, Callable[[], None]], object]
"""Calls a function after so many seconds."""


@dataclass(slots=True, eq=False)
class Offer:
    """A completion that was offered. `text` is what is left of it, as editors know it, from `offset` on.

    `key` is its name for commands, `number` that of its row, once it was shown.
    """

    uri: str
    text: str
    offset: int
    record: Record
    key: int = 0
    number: int = 0
    outcome: Outcome = "shown"
    accepted_chars: int = 0
    survival: Survival | None = None


class Ledger:
    """The completions of one editor. `store` is opened at the first one that is shown."""

    def __init__(self, open_store: Callable[[], StatsStore], later: Later | None = None) -> None:
        self._open_store = open_store
        self._store: StatsStore | None = None
        self._later = later or (lambda delay_s, call: asyncio.get_running_loop().call_later(delay_s, call))
        self._offers: deque[Offer] = deque(maxlen=_REMEMBERED)
        self._followed: list[Offer] = []
        self._keys = itertools.count(1)

    def offer(self, offer: Offer, goes_on: bool) -> Offer:
        """Remember what is offered; with `goes_on` it is what is left of the offer before, while that is typed."""
        earlier = self._last(offer.uri)
        if goes_on and earlier is not None:
            earlier.text, earlier.offset = offer.text, offer.offset
            return earlier
        offer.key = next(self._keys)
        self._offers.append(offer)
        return offer

    def show(self, text: str) -> None:
        """An editor shows a completion: the one before in the document was not wanted."""
        if (offer := self.find(text)) and not offer.number:
            for other in [one for one in self._offers if one.uri == offer.uri and one is not offer]:
                self._drop(other)
            offer.number = self._opened().add(offer.record)

    def accept(self, offer: Offer, length: int, document: Document | None) -> None:
        """The user took so many code points of a completion; `document` is the one it was put into, as it is now."""
        offer.number = offer.number or self._opened().add(offer.record)
        is_whole = length >= len(offer.text)
        offer.outcome = "accepted" if is_whole else "partly"
        offer.accepted_chars = max(offer.accepted_chars, min(length, len(offer.text)))
        self._opened().settle(offer.number, offer.outcome, offer.accepted_chars)
        if is_whole and offer not in self._followed:
            offer.survival = _find_accepted(offer, document) if document else None
            self._followed.append(offer)
            self._later(KEPT_AFTER_S, lambda: self._count(offer))

    def find(self, text: str) -> Offer | None:
        """The last offer of a text: editors tell of it by that."""
        return next((one for one in reversed(self._offers) if one.text == text), None)

    def find_key(self, key: object) -> Offer | None:
        return next((one for one in self._offers if one.key == key), None)

    def is_following(self, uri: str) -> bool:
        """Whether changes of a document have to be told."""
        return any(offer.uri == uri for offer in self._followed)

    def change(self, before: Document, now: Document) -> None:
        """A document changed: what of the accepted texts in it still stands, or has come by now?"""
        for offer in [one for one in self._followed if one.uri == now.uri]:
            known = offer.survival
            offer.survival = known.after_change(before, now) if known else _find_accepted(offer, now)

    def leave(self, uri: str) -> None:
        """A document is closed: count now."""
        for offer in [one for one in self._followed if one.uri == uri]:
            self._count(offer)
        for offer in [one for one in self._offers if one.uri == uri]:
            self._drop(offer)

    def close(self) -> None:
        for offer in list(self._followed):
            self._count(offer)
        for offer in list(self._offers):
            self._drop(offer)
        if self._store is not None:
            self._store.close()
            self._store = None

    def _opened(self) -> StatsStore:
        if self._store is None:
            self._store = self._open_store()
        return self._store

    def _last(self, uri: str) -> Offer | None:
        return next((one for one in reversed(self._offers) if one.uri == uri), None)

    def _drop(self, offer: Offer) -> None:
        """Nobody can accept an offer any more."""
        self._offers.remove(offer)
        if offer.number and offer.outcome == "shown":
            is_typed = len(offer.text) <= min(_BARELY, offer.record.chars - 1)
            self._opened().settle(offer.number, "typed" if is_typed else "rejected", 0)

    def _count(self, offer: Offer) -> None:
        """Keep what still stands of an accepted text, once."""
        if offer in self._followed:
            self._followed.remove(offer)
            if offer.survival is not None and self._store is not None:
                self._store.keep(offer.number, offer.survival.length)


def _find_accepted(offer: Offer, document: Document) -> Survival | None:
    """Where an accepted text stands in a document; None where it does not, or not yet."""
    end = offer.offset + len(offer.text)
    return Survival(((offer.offset, end),)) if document.text[offer.offset : end] == offer.text else None
