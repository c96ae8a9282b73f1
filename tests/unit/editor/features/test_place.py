from hypothesis import given
from hypothesis import strategies as st

from heron.editor.document import Document
from heron.editor.features.place import Place, find_place

TEXTS = st.text(st.sampled_from(list("ab\n😀")), max_size=30)


def place(text: str) -> Place:
    """The place of the cursor, marked by │, in a text."""
    offset = text.index("│")
    document = Document("file:///a", 1, "python", text.replace("│", ""))
    return find_place(document, document.position(offset))


@given(TEXTS, TEXTS, TEXTS)
def test_what_was_typed_is_found(before: str, typed: str, after: str) -> None:
    assert place(f"{before}{typed}│{after}").typed_since(place(f"{before}│{after}")) == typed


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_what_is_found_leads_from_one_text_to_the_other(before: str, after: str, before2: str, after2: str) -> None:
    typed = place(f"{before2}│{after2}").typed_since(place(f"{before}│{after}"))
    assert (typed is None) == (not before2.startswith(before) or after != after2)
    assert typed is None or before + typed == before2


def test_edits_after_the_cursor_are_seen_beyond_the_window() -> None:
    assert place("│" + "x" * 1000).typed_since(place("│" + "x" * 999)) is None


def test_long_texts_before_the_cursor() -> None:
    long = "".join(f"line {number}\n" for number in range(1000))
    assert place(f"{long}ab│").typed_since(place(f"{long}│")) == "ab"
    assert place(f"{long}x ab│").typed_since(place(f"{long}y│")) is None
    assert place(f"{long}{'a' * 2000}│").typed_since(place(f"{long}│")) is None
