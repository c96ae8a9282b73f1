"""read_file: ranges, what is open, and what is refused."""

from pathlib import Path

import pytest

from heron.editor.document import Document, Position, Range
from unit.editor.tools.scenes import call, put, scene_of


async def test_a_range_of_lines_with_its_reference(tmp_path: Path) -> None:
    put(tmp_path, a__py="one\ntwo\nthree\nfour\n")
    outcome = await call(scene_of(tmp_path), "read_file", path="a.py", start_line=2, end_line=3)
    assert outcome.text == "a.py, lines 2-3 of 5:\ntwo\nthree\n[2 more lines]"
    (reference,) = outcome.references
    assert reference.path == "a.py"
    assert reference.uri == (tmp_path / "a.py").as_uri()
    assert reference.range == Range(Position(1, 0), Position(3, 0))


async def test_long_files_are_read_in_parts(tmp_path: Path) -> None:
    put(tmp_path, a__txt="x\n" * 999)
    outcome = await call(scene_of(tmp_path), "read_file", path="a.txt")
    assert outcome.text.startswith("a.txt, lines 1-200 of 1000:")
    assert outcome.text.endswith("[800 more lines]")


async def test_the_open_document_is_preferred_also_by_another_name(tmp_path: Path) -> None:
    put(tmp_path, a__py="on disk")
    (tmp_path / "link.py").symlink_to("a.py")
    for name in ("a.py", "link.py", "%61.py"):
        document = Document(f"file://{tmp_path}/{name}", 7, "python", "in the editor")
        assert "in the editor" in (await call(scene_of(tmp_path, document), "read_file", path="a.py")).text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"path": "b.py"}, "There is no file 'b.py'"),
        ({"path": "sub"}, "'sub' is a folder. list_directory"),
        ({"path": "binary"}, "not a text file"),
        ({"path": "large"}, "larger than 2000000 bytes"),
        ({"path": "a.py", "start_line": 9}, "start_line 9 is past the end: there are 1 lines"),
        ({"path": "a.py", "start_line": 1, "end_line": -1}, "less than the minimum of 0"),
    ],
)
async def test_what_cannot_be_read_is_told(tmp_path: Path, arguments: dict[str, object], said: str) -> None:
    put(tmp_path, a__py="x", binary="a\0b", large="x" * 2_000_001)
    (tmp_path / "sub").mkdir()
    outcome = await call(scene_of(tmp_path), "read_file", **arguments)
    assert outcome.status == "error"
    assert said in outcome.text


async def test_other_encodings_and_line_ends_are_read(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes("Grüße\r\nzwei\r".encode("latin-1"))
    outcome = await call(scene_of(tmp_path), "read_file", path="latin")
    assert outcome.text == "latin, lines 1-3 of 3:\nGr\ufffd\ufffde\nzwei\n"
