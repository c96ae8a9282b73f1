"""Edits of whole lines: applying them gives the text, and lines that stay are not touched."""

from hypothesis import given
from hypothesis import strategies as st

from heron.editor.document import Document
from heron.editor.postprocess.minimal_edits import minimal_edits
from heron.editor.postprocess.rewritten import clean_rewritten, leaves_out

LINES = st.lists(st.sampled_from(("a", "b", "  c", "", "d\x0c", "é")), max_size=12)
ENDS = st.sampled_from(("\n", "\r\n", "\r"))


def document_of(text: str) -> Document:
    return Document("file:///a", 1, "python", text)


@given(LINES, LINES, ENDS)
def test_applied_they_give_the_text(before: list[str], after: list[str], end: str) -> None:
    document, text = document_of(end.join(before)), end.join(after)
    edits = minimal_edits(document, text)
    assert document.edited(edits).text == text
    assert bool(edits) == (document.text != text)


def test_what_stays_is_not_touched() -> None:
    edits = minimal_edits(document_of("a\nb\nc\nd\n"), "a\nB\nc\nd\ne\n")
    assert [(edit.range.start.line, edit.range.end.line, edit.new_text) for edit in edits] == [
        (1, 2, "B\n"),
        (4, 4, "e\n"),
    ]


def test_code_is_taken_out_of_its_fence_and_put_where_it_was() -> None:
    answer = "Here it is:\n```python\ndef f():\n    return 1\n```\nIt returns one."
    assert clean_rewritten(answer, "        def f():\n            return 2") == "        def f():\n            return 1"


def test_tabs_stay_tabs() -> None:
    answer = "func f() {\n    return\n}"
    assert clean_rewritten(answer, "\tfunc f() {\n\t\tx()\n\t}") == "\tfunc f() {\n\t\treturn\n\t}"


def test_a_placeholder_for_code_is_seen_unless_it_was_there() -> None:
    assert leaves_out("f()\n# ... rest of the code\n", "f()\ng()\n")
    assert not leaves_out("f()\n# ...\n", "f()\n# ...\n")
