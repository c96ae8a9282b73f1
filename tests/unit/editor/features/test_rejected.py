import pytest

from heron.editor.document import Document
from heron.editor.features import rejected as module
from heron.editor.features.place import Place, find_place
from heron.editor.features.rejected import Rejected
from heron.editor.features.typed_through import Offer

URI, TEXT = "file:///a.py", "compute(total)"


def place(typed: str = "") -> Place:
    document = Document(URI, 1, "python", f"x = {typed}\n")
    return find_place(document, document.position(4 + len(typed)))


@pytest.fixture
def rejected(monkeypatch: pytest.MonkeyPatch) -> Rejected:
    """Whose offer was shown long ago at the first place."""
    monkeypatch.setattr(module, "SEEN_S", 0.0)
    memory = Rejected()
    memory.show(URI, Offer(place(), TEXT))
    return memory


def test_what_was_typed_over_is_not_shown_again(rejected: Rejected) -> None:
    rejected.move(URI, place("y"))
    assert rejected.has(URI, place("y"), TEXT)
    assert not rejected.has(URI, place("y"), "compute(other)")
    assert not rejected.has("file:///b.py", place("y"), TEXT)


def test_what_was_sent_away_is_not_shown_again_nor_what_is_left_of_it() -> None:
    memory = Rejected()
    memory.show(URI, Offer(place(), TEXT))
    memory.dismiss(URI)
    assert memory.has(URI, place(), TEXT)
    assert memory.has(URI, place("com"), TEXT.removeprefix("com"))
    assert not memory.has(URI, place("com"), "bine(total)")
    memory.dismiss("file:///b.py")


def test_what_is_being_typed_or_left_alone_is_not_rejected(rejected: Rejected) -> None:
    rejected.move(URI, place())
    rejected.move(URI, place("comp"))
    assert not rejected.has(URI, place("comp"), TEXT)


def test_what_nobody_had_time_to_read_is_not_rejected() -> None:
    memory = Rejected()
    memory.show(URI, Offer(place(), TEXT))
    memory.move(URI, place("y"))
    assert not memory.has(URI, place("y"), TEXT)


def test_short_texts_and_far_places_are_not_held_against(rejected: Rejected) -> None:
    rejected.show(URI, Offer(place(), "f(x)"))
    rejected.move(URI, place("y"))
    assert not rejected.has(URI, place("y"), "f(x)")
    far = Document(URI, 1, "python", "\n" * 500)
    assert not rejected.has(URI, find_place(far, far.position(400)), "f(x)")


def test_a_closed_document_is_forgotten(rejected: Rejected) -> None:
    rejected.move(URI, place("y"))
    rejected.forget(URI)
    assert not rejected.has(URI, place("y"), TEXT)
