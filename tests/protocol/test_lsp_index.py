"""The index as an editor sees it: scanned with progress, kept up with changes, gone when it is turned off."""

from pathlib import Path
from typing import Any

import pytest

from heron.editor.lsp import index_progress, indexing
from heron.host.engine.scripted import ScriptedEngine
from protocol.lsp_editor import CAPABILITIES, Editor, connect_nowhere, editor_of, editor_with

WATCHING = {"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}}}
QUIET = {"completion": {"enabled": False}}


@pytest.fixture(autouse=True)
def _eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "IDLE_S", 0.0)
    monkeypatch.setattr(index_progress, "MIN_FILES", 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "a.py").write_text("def first(): pass\n")
    return (tmp_path / "work").resolve()


def given(*folders: Path, options: object = None) -> dict[str, Any]:
    named = [{"uri": folder.as_uri(), "name": folder.name} for folder in folders]
    return {"capabilities": CAPABILITIES | WATCHING, "options": options or QUIET, "workspaceFolders": named}


async def settle(editor: Editor) -> None:
    """Wait until the server has taken in all that was sent, and has done in the background what follows from it."""
    await editor.request("heron/lastTimings")
    await editor.session.indexing.settle()


def names(editor: Editor, query: str) -> list[str]:
    index = editor.session.index
    return [symbol.name for symbol in index.find_symbols(query)] if index else []


async def test_the_workspace_is_scanned_with_progress(folder: Path) -> None:
    async with editor_of(connect_nowhere) as editor:
        await editor.initialize(**given(folder))
        await editor.wait_for(lambda: bool(editor.told("client/registerCapability")))
        assert names(editor, "first") == ["first"]
        assert editor.session.workspace.folders == (folder,)
        values = [params["value"] for params in editor.told("$/progress")]
        assert [value["kind"] for value in values][:1] == ["begin"]
        assert [value["kind"] for value in values][-1:] == ["end"]
        assert values[0]["title"] == "Indexing workspace"
        (registration,) = editor.told("client/registerCapability")[0]["registrations"]
        assert registration["method"] == "workspace/didChangeWatchedFiles"


async def test_changes_on_disk_and_in_the_editor(folder: Path) -> None:
    uri = (folder / "a.py").as_uri()
    async with editor_of(connect_nowhere) as editor:
        await editor.initialize(**given(folder))
        await settle(editor)
        editor.open("def second(): pass\n", uri)
        await settle(editor)
        assert names(editor, "second") == ["second"]
        assert names(editor, "first") == []
        editor.insert(2, 0, 4, "very_", uri)
        await settle(editor)
        assert names(editor, "very_second") == ["very_second"]
        editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        await settle(editor)
        assert names(editor, "first") == ["first"]
        (folder / "b.py").write_text("def third(): pass\n")
        change = {"uri": (folder / "b.py").as_uri(), "type": 1}
        editor.notify("workspace/didChangeWatchedFiles", {"changes": [change]})
        await settle(editor)
        assert names(editor, "third") == ["third"]
        (folder / "b.py").unlink()
        editor.notify("workspace/didChangeWatchedFiles", {"changes": [change | {"type": 3}]})
        await settle(editor)
        assert names(editor, "third") == []


async def test_many_changes_are_found_by_a_scan(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "MAX_SINGLE_UPDATES", 1)
    async with editor_of(connect_nowhere) as editor:
        await editor.initialize(**given(folder))
        await settle(editor)
        for name in ("b", "c"):
            (folder / f"{name}.py").write_text(f"def in_{name}(): pass\n")
        changes = [{"uri": (folder / name).as_uri(), "type": 1} for name in ("b.py", "c.py")]
        editor.notify("workspace/didChangeWatchedFiles", {"changes": changes})
        await settle(editor)
        assert names(editor, "in_b")[:1] == ["in_b"]
        assert names(editor, "in_c")[:1] == ["in_c"]


async def test_other_folders_take_the_place_of_the_first(folder: Path, tmp_path: Path) -> None:
    other = (tmp_path / "other").resolve()
    other.mkdir()
    (other / "z.py").write_text("def zebra(): pass\n")
    async with editor_of(connect_nowhere) as editor:
        await editor.initialize(**given(folder))
        await settle(editor)
        event = {"added": [{"uri": other.as_uri(), "name": "o"}], "removed": [{"uri": folder.as_uri(), "name": "w"}]}
        editor.notify("workspace/didChangeWorkspaceFolders", {"event": event})
        await settle(editor)
        assert names(editor, "zebra") == ["zebra"]
        assert names(editor, "first") == []


async def test_it_can_be_turned_off_and_on(folder: Path) -> None:
    async with editor_of(connect_nowhere) as editor:
        await editor.initialize(**given(folder, options=QUIET | {"index": {"enabled": False}}))
        await settle(editor)
        assert editor.session.index is None
        editor.notify("workspace/didChangeConfiguration", {"settings": QUIET})
        await settle(editor)
        assert names(editor, "first") == ["first"]
        editor.notify("workspace/didChangeConfiguration", {"settings": QUIET | {"index": {"enabled": False}}})
        await settle(editor)
        assert editor.session.index is None


async def test_what_is_excluded_is_not_indexed(folder: Path) -> None:
    (folder / "customers.py").write_text("def customer(): pass\n")
    async with editor_of(connect_nowhere) as editor:
        await editor.initialize(**given(folder, options=QUIET | {"context": {"exclude": ["customers.*"]}}))
        await settle(editor)
        assert names(editor, "customer") == []
        assert editor.session.workspace.is_private(folder / "customers.py")


async def test_without_a_folder_there_is_no_index() -> None:
    async with editor_of(connect_nowhere) as editor:
        await editor.initialize(QUIET)
        editor.open("def f(): pass\n")
        await settle(editor)
        assert editor.session.index is None


async def test_leaving_in_the_middle_of_a_scan(folder: Path) -> None:
    for number in range(300):
        (folder / f"m{number}.py").write_text(f"def f{number}(): pass\n" * 50)
    async with editor_of(connect_nowhere) as editor:
        await editor.initialize(**given(folder))
        await editor.request("heron/lastTimings")
        await editor.request("shutdown")


async def test_a_cache_that_cannot_be_written_is_no_obstacle(folder: Path, heron_home: Path) -> None:
    (heron_home / "cache").write_text("a file")
    async with editor_of(connect_nowhere) as editor:
        await editor.initialize(**given(folder))
        editor.open("x", (folder / "a.py").as_uri())
        await settle(editor)
        assert editor.session.index is None


async def test_no_secret_is_asked_about(tmp_path: Path) -> None:
    engine = ScriptedEngine("1")
    secret = "gh" + "p_" + "a1B2" * 9
    async with editor_with(engine, tmp_path) as editor:
        editor.open(f"token = '{secret}'\nx = \ny = '{secret}'\n")
        assert await editor.complete(1, 4) == "1"
    assert engine.requests
    assert all(secret not in repr(request) and "[redacted]" in repr(request) for request in engine.requests)
