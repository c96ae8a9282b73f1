"""apply_edit: proposals are exact, versioned, and never written."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heron.editor.document import Document
from heron.editor.tools.apply_edit import ApplyEdit, apply_edit
from heron.editor.tools.tool import ProposedEdit
from heron.errors import InvalidRequest
from unit.editor.tools.scenes import call, put, scene_of

TEXT = "def f():\n    return 1\n\ndef g():\n    return 1\n"


def applied(text: str, edit: ProposedEdit) -> str:
    document = Document("", 0, "", text)
    start, end = document.offset(edit.range.start), document.offset(edit.range.end)
    return text[:start] + edit.new_text + text[end:]


async def test_old_text_is_replaced_where_it_occurs_once(tmp_path: Path) -> None:
    put(tmp_path, a__py=TEXT)
    arguments = {"path": "a.py", "old_text": "def g():\n    return 1", "new_text": "def g():\n    return 2"}
    outcome = await call(scene_of(tmp_path), "apply_edit", **arguments)
    assert outcome.status == "ok"
    (edit,) = outcome.edits
    assert applied(TEXT, edit) == TEXT.replace("g():\n    return 1", "g():\n    return 2")
    assert (edit.uri, edit.version) == ((tmp_path / "a.py").as_uri(), None)
    assert (tmp_path / "a.py").read_text() == TEXT, "nothing is written"


async def test_lines_are_replaced_whole(tmp_path: Path) -> None:
    put(tmp_path, a__py=TEXT)
    arguments = {"path": "a.py", "old_text": "", "new_text": "    return 3", "start_line": 2}
    (edit,) = (await call(scene_of(tmp_path), "apply_edit", **arguments)).edits
    assert applied(TEXT, edit) == TEXT.replace("return 1", "return 3", 1)


async def test_the_open_document_is_meant_and_its_version_told(tmp_path: Path) -> None:
    put(tmp_path, a__py="old")
    document = Document((tmp_path / "a.py").as_uri(), 12, "python", "newer\r\ntext\r\n")
    arguments = {"path": "a.py", "old_text": "newer\ntext", "new_text": "a\nb"}
    (edit,) = (await call(scene_of(tmp_path, document), "apply_edit", **arguments)).edits
    assert edit.version == 12
    assert applied(document.text, edit) == "a\r\nb\r\n", "line ends stay as they are"


async def test_a_new_file_is_proposed(tmp_path: Path) -> None:
    outcome = await call(scene_of(tmp_path), "apply_edit", path="new/a.py", old_text="", new_text="x = 1\n")
    assert outcome.text == "Proposed the new file new/a.py."
    assert outcome.edits[0].new_text == "x = 1\n"
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"old_text": "return 1", "new_text": "x"}, "more than once, in lines 2, 5. Give more"),
        ({"old_text": "retrun 1", "new_text": "x"}, "does not occur in the file. Line 2 is near it: 'return 1'"),
        ({"old_text": "completely different", "new_text": "x"}, "does not occur in the file. Read the file"),
        ({"old_text": "def f", "new_text": "def f"}, "changes nothing"),
        ({"old_text": "", "new_text": "x"}, "Lines 0 to 0 are not in 1 to 6. Give old_text"),
        ({"old_text": "", "new_text": "x", "start_line": 3, "end_line": 99}, "Lines 3 to 99"),
        ({"old_text": "", "new_text": "x", "start_line": 3, "end_line": 2}, "Lines 3 to 2"),
    ],
)
async def test_what_cannot_be_done_is_told(tmp_path: Path, arguments: dict[str, object], said: str) -> None:
    put(tmp_path, a__py=TEXT)
    outcome = await call(scene_of(tmp_path), "apply_edit", path="a.py", **arguments)
    assert outcome.status == "error"
    assert said in outcome.text


@given(st.text("ab \r\n", max_size=30), st.data())
def test_an_edit_changes_what_was_named_and_nothing_else(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    old = text[start : data.draw(st.integers(start, len(text)))]
    new = data.draw(st.text("xy", max_size=5))
    place = Path("/nonexistent-heron-test")
    document = Document(f"file://{place}/a", 1, "", text)
    scene = scene_of(place.parent, document)
    try:
        (edit,) = apply_edit(ApplyEdit(f"{place.name}/a", old or "?", new), scene).edits
    except InvalidRequest:
        return
    assert applied(text, edit) == text.replace(old, new, 1)
