from hypothesis import given
from hypothesis import strategies as st

from heron.editor.document import Document
from heron.editor.features.place import Place, find_place
from heron.editor.features.typed_through import Offer, TypedThrough

URI = "file:///a"
TEXTS = st.text(st.sampled_from(list("ab\n")), max_size=8)


def place(before: str, after: str) -> Place:
    document = Document(URI, 1, "python", before + after)
    return find_place(document, document.position(len(before)))


@given(TEXTS, TEXTS, st.lists(st.tuples(TEXTS, TEXTS.filter(bool)), max_size=6), TEXTS)
def test_what_is_served_was_offered(before: str, after: str, offers: list[tuple[str, str]], typed: str) -> None:
    """Put behind what was typed, the rest is one of the offers; the newest that fits is served."""
    cache = TypedThrough()
    for typed_then, text in offers:
        cache.add(URI, Offer(place(before + typed_then, after), text))
    whole = [then + text for then, text in reversed(offers) if typed.startswith(then)]
    fitting = [text[len(typed) :] for text in whole if text.startswith(typed) and text != typed]
    assert cache.find(URI, place(before + typed, after)) == (fitting[0] if fitting else None)


def test_nothing_is_left_of_an_offer_typed_to_its_end() -> None:
    cache = TypedThrough()
    cache.add(URI, Offer(place("", ""), "ab"))
    assert cache.find(URI, place("a", "")) == "b"
    assert cache.find(URI, place("ab", "")) is None


def test_documents_do_not_mix_and_can_be_forgotten() -> None:
    cache = TypedThrough()
    cache.add(URI, Offer(place("", ""), "ab"))
    assert cache.find("file:///b", place("", "")) is None
    cache.forget(URI)
    cache.forget(URI)
    assert cache.find(URI, place("", "")) is None


def test_old_documents_and_offers_are_dropped() -> None:
    cache = TypedThrough()
    for number in range(100):
        cache.add(f"file:///{number}", Offer(place("", ""), "ab"))
    assert cache.find("file:///0", place("", "")) is None
    assert cache.find("file:///99", place("", "")) == "ab"
    for number in range(100):
        cache.add(URI, Offer(place("x" * number, ""), "ab"))
    assert cache.find(URI, place("", "")) is None
