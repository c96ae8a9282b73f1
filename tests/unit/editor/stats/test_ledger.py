from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from heron.editor.document import Document
from heron.editor.stats.ledger import KEPT_AFTER_S, Ledger, Offer
from heron.editor.stats.store import NAME, Record, StatsStore, open_store

URI = "file:///a.py"


class Desk:
    """A ledger with a store and a clock of its own."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self.store = open_store(self.path)
        self.waiting: list[tuple[float, Callable[[], None]]] = []
        self.ledger = Ledger(self._open, lambda delay_s, call: self.waiting.append((delay_s, call)))

    def _open(self) -> StatsStore:
        return self.store

    def offer(self, text: str, offset: int = 0, goes_on: bool = False, uri: str = URI) -> Offer:
        return self.ledger.offer(Offer(uri, text, offset, Record("python", "inline", len(text), 5.0)), goes_on)

    def outcomes(self) -> list[tuple[str, int, int | None]]:
        return [(one.outcome, one.accepted_chars, one.kept_chars) for one in self.store.read()]

    def pass_time(self) -> None:
        for _, call in self.waiting:
            call()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.store.close()


def document(text: str) -> Document:
    return Document(URI, 1, "python", text)


def test_what_is_not_shown_is_not_counted(desk: Desk) -> None:
    desk.offer("abc")
    desk.ledger.show("nothing of ours")
    assert desk.outcomes() == []


def test_a_completion_that_another_takes_the_place_of_was_rejected(desk: Desk) -> None:
    desk.offer("abc")
    desk.ledger.show("abc")
    desk.ledger.show("abc")
    assert desk.outcomes() == [("shown", 0, None)]
    desk.offer("def")
    desk.ledger.show("def")
    assert desk.outcomes() == [("rejected", 0, None), ("shown", 0, None)]


def test_one_in_another_document_does_not_matter(desk: Desk) -> None:
    desk.offer("abc")
    desk.ledger.show("abc")
    desk.offer("def", uri="file:///b.py")
    desk.ledger.show("def")
    assert desk.outcomes() == [("shown", 0, None), ("shown", 0, None)]


def test_one_that_is_typed_is_one_completion(desk: Desk) -> None:
    first = desk.offer("abc")
    desk.ledger.show("abc")
    assert desk.offer("bc", 1, goes_on=True).number == first.number
    desk.ledger.show("bc")
    desk.offer("c", 2, goes_on=True)
    desk.ledger.leave(URI)
    assert desk.outcomes() == [("typed", 0, None)]


def test_an_accepted_one_is_looked_at_again_after_a_while(desk: Desk) -> None:
    offer = desk.offer("print(x)", 4)
    desk.ledger.accept(offer, 8, document("x = print(x)\n"))
    assert desk.ledger.is_following(URI)
    desk.ledger.change(document("x = print(x)\n"), document("# why\nx = print(x)\n"))
    desk.ledger.change(document("# why\nx = print(x)\n"), document("# why\nx = print(y)\n"))
    assert desk.outcomes() == [("accepted", 8, None)]
    assert [delay_s for delay_s, _ in desk.waiting] == [KEPT_AFTER_S]
    desk.pass_time()
    assert desk.outcomes() == [("accepted", 8, 7)]
    assert not desk.ledger.is_following(URI)


def test_the_edit_may_come_after_the_acceptance(desk: Desk) -> None:
    desk.ledger.accept(desk.offer("abc", 4), 3, document("x = \n"))
    desk.ledger.change(document("x = \n"), document("x = abc\n"))
    desk.ledger.leave(URI)
    assert desk.outcomes() == [("accepted", 3, 3)]


def test_of_a_text_that_never_came_nothing_is_known(desk: Desk) -> None:
    desk.ledger.accept(desk.offer("abc", 4), 3, document("x = \n"))
    desk.ledger.close()
    assert open_again(desk) == [("accepted", 3, None)]


def test_accepted_twice_counts_once(desk: Desk) -> None:
    offer = desk.offer("abc")
    for _ in range(2):
        desk.ledger.accept(offer, 3, document("abc"))
    assert desk.outcomes() == [("accepted", 3, None)]
    assert len(desk.waiting) == 1


def test_partly_then_wholly(desk: Desk) -> None:
    offer = desk.offer("one two")
    desk.ledger.accept(offer, 3, None)
    assert desk.outcomes() == [("partly", 3, None)]
    desk.offer("other")
    desk.ledger.show("other")
    assert desk.outcomes()[0] == ("partly", 3, None)


def test_what_is_shown_at_the_end_was_rejected(desk: Desk) -> None:
    desk.offer("abc")
    desk.ledger.show("abc")
    desk.ledger.close()
    assert open_again(desk) == [("rejected", 0, None)]


def test_keys_name_offers(desk: Desk) -> None:
    one, two = desk.offer("a"), desk.offer("b")
    assert desk.ledger.find_key(two.key) is two
    assert one.key != two.key
    assert desk.ledger.find_key("x") is None


def open_again(desk: Desk) -> list[tuple[str, int, int | None]]:
    store = open_store(desk.path)
    try:
        return [(one.outcome, one.accepted_chars, one.kept_chars) for one in store.read()]
    finally:
        store.close()
