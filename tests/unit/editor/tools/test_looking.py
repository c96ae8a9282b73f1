"""list_directory, open_documents, diagnostics, document_outline, symbol_search, find_references."""

from dataclasses import replace
from pathlib import Path

from heron.editor.context.index.index import Index
from heron.editor.diagnostic import Diagnostic
from heron.editor.document import Document, Position, Range
from unit.editor.tools.scenes import call, put, scene_of

CODE = """class Cart:
    '''What is bought.'''

    def total(self):
        return 1


def main():
    Cart().total()
"""


async def test_folders_are_listed_without_what_is_hidden(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    put(tmp_path, b__py="", a__py="", __env="", __gitignore="c.py\n", c__py="")
    (tmp_path / "link").symlink_to("/etc")
    scene = scene_of(tmp_path)
    assert (await call(scene, "list_directory")).text.splitlines() == [".gitignore", "a.py", "b.py", "sub/"]
    assert (await call(scene, "list_directory", path="sub")).text == "[empty]"
    assert "is not a folder" in (await call(scene, "list_directory", path="a.py")).text


async def test_long_folders_are_cut(tmp_path: Path) -> None:
    for number in range(250):
        (tmp_path / f"{number:03}").touch()
    lines = (await call(scene_of(tmp_path), "list_directory")).text.splitlines()
    assert lines[-1] == "[50 more]"
    assert len(lines) == 201


async def test_open_documents_of_the_workspace_are_listed(tmp_path: Path) -> None:
    uris = [f"file://{tmp_path}/a.py", "file:///elsewhere/b.py", "untitled:c", f"file://{tmp_path}/.env"]
    documents = [Document(uri, 1, "python", "x\ny") for uri in uris]
    assert (await call(scene_of(tmp_path, *documents), "open_documents")).text == "a.py (python, 2 lines)"
    assert (await call(scene_of(tmp_path), "open_documents")).text == "No document of the workspace is open."


async def test_diagnostics_are_told_worst_first(tmp_path: Path) -> None:
    put(tmp_path, a__py="x\n")
    uri = f"file://{tmp_path}/a.py"
    where = Range(Position(0, 0), Position(0, 1))
    found = (
        Diagnostic(where, "unused", "warning", "ruff", "F401"),
        Diagnostic(Range(Position(3, 2), Position(3, 5)), "undefined name", "error"),
    )
    scene = replace(
        scene_of(tmp_path, Document(uri, 1, "python", "x\n")), diagnostics=lambda asked: found if asked == uri else ()
    )
    for arguments in ({}, {"path": "a.py"}):
        outcome = await call(scene, "diagnostics", **arguments)
        assert outcome.text.splitlines() == ["a.py:4:3: error: undefined name", "a.py:1:1: warning: unused [ruff F401]"]
        assert outcome.references[1].range == where
    assert (await call(scene_of(tmp_path), "diagnostics")).text == "No diagnostics."


async def test_an_outline_has_what_a_file_defines(tmp_path: Path) -> None:
    put(tmp_path, cart__py=CODE, a__unknown="x")
    outcome = await call(scene_of(tmp_path), "document_outline", path="cart.py")
    assert outcome.text.splitlines() == ["1-5: class Cart", "  4-5: def total(self)", "8-9: def main()"]
    assert outcome.references[0].range.start == Position(0, 0)
    assert "no language that Heron reads" in (await call(scene_of(tmp_path), "document_outline", path="a.unknown")).text


async def test_symbols_and_their_uses_are_found_in_the_index(tmp_path: Path) -> None:
    folder = tmp_path / "ws"
    folder.mkdir()
    put(folder, cart__py=CODE)
    scene = scene_of(folder)
    assert "has no index. Use grep" in (await call(scene, "symbol_search", query="Cart")).text
    index = Index.open(tmp_path / "cache", scene.workspace)
    try:
        index.update(folder / "cart.py")
        scene = replace(scene, index=index)
        found = await call(scene, "symbol_search", query="Cart")
        assert found.text.splitlines()[0] == "cart.py:1-5: class Cart — What is bought."
        assert found.references[0].path == "cart.py"
        used = await call(scene, "find_references", name="total")
        assert "cart.py:9: Cart().total()" in used.text.splitlines()
        assert Range(Position(8, 11), Position(8, 16)) in [reference.range for reference in used.references]
        assert "not used anywhere" in (await call(scene, "find_references", name="nothing")).text
    finally:
        index.close()
