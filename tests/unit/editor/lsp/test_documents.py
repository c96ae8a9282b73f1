import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from heron.editor.document import Document
from heron.editor.lsp.convert import Encoding, to_position
from heron.editor.lsp.documents import Documents

URI = "file:///a.py"
PIECES = st.text(st.sampled_from(list("ab é😀\n\r\t")), max_size=12)
PLACES = st.builds(types.Position, st.integers(0, 8), st.integers(0, 14))


def open_document(text: str) -> Documents:
    documents = Documents()
    documents.open(types.TextDocumentItem(URI, "python", 1, text))
    return documents


def change(documents: Documents, version: int, *changes: types.TextDocumentContentChangeEvent) -> None:
    identifier = types.VersionedTextDocumentIdentifier(version=version, uri=URI)
    documents.change(identifier, changes, Encoding.Utf16)


def edit(start: tuple[int, int], end: tuple[int, int], text: str) -> types.TextDocumentContentChangePartial:
    return types.TextDocumentContentChangePartial(types.Range(types.Position(*start), types.Position(*end)), text)


def text_of(documents: Documents) -> str:
    document = documents.get(URI)
    assert document is not None
    return document.text


EDITS = st.lists(st.tuples(PLACES, PLACES, PIECES), max_size=12)


@given(st.lists(PIECES, max_size=6).map("".join), EDITS)
def test_edits_agree_with_a_naive_model(text: str, edits: list[tuple[types.Position, types.Position, str]]) -> None:
    documents = open_document(text)
    for version, (one, other, new) in enumerate(edits, 2):
        model = Document(URI, version, "python", text)
        places = [model.offset(to_position(model, place, Encoding.Utf16)) for place in (one, other)]
        text = text[: min(places)] + new + text[max(places) :]
        change(documents, version, types.TextDocumentContentChangePartial(types.Range(one, other), new))
        assert text_of(documents) == text


def test_changes_of_one_message_apply_in_order() -> None:
    documents = open_document("one")
    change(documents, 2, edit((0, 3), (0, 3), "\ntwo"), edit((1, 0), (1, 3), "2"))
    assert text_of(documents) == "one\n2"


def test_a_line_feed_behind_a_carriage_return_makes_one_line_end() -> None:
    documents = open_document("a\rb")
    change(documents, 2, edit((1, 0), (1, 0), "\n"), edit((1, 0), (1, 1), "c"))
    assert text_of(documents) == "a\r\nc"


def test_whole_text_is_replaced() -> None:
    documents = open_document("old")
    change(documents, 2, types.TextDocumentContentChangeWholeDocument("new\r\n"), edit((1, 0), (1, 0), "x"))
    assert text_of(documents) == "new\r\nx"


def test_a_snapshot_stays_as_it_was() -> None:
    documents = open_document("a")
    before = documents.get(URI)
    change(documents, 2, edit((0, 1), (0, 1), "b"))
    after = documents.get(URI)
    assert before is not None
    assert after is not None
    assert (before.text, before.version) == ("a", 1)
    assert (after.text, after.version) == ("ab", 2)
    assert documents.get(URI) is after


def test_a_version_without_an_edit_is_a_new_snapshot() -> None:
    documents = open_document("a")
    change(documents, 7)
    document = documents.get(URI)
    assert document is not None
    assert document.version == 7


def test_closed_documents_are_gone_and_can_be_opened_again() -> None:
    documents = open_document("a")
    documents.close(URI)
    documents.close(URI)
    assert documents.get(URI) is None
    change(documents, 3, edit((0, 0), (0, 0), "x"))
    assert documents.get(URI) is None
    documents.open(types.TextDocumentItem(URI, "python", 1, "b"))
    assert text_of(documents) == "b"


@pytest.mark.parametrize("text", ["", "\n", "\r", "\r\n", "a\n\n", "a\r\rb"])
def test_text_is_kept_as_it_is(text: str) -> None:
    assert text_of(open_document(text)) == text
