"""Diagnostics the editor tells of, the tools over an editor's documents, and `mcp.json` that is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from heron.editor.diagnostic import Diagnostic
from heron.editor.document import Position, Range
from heron.editor.lsp.protocol import DID_CHANGE_DIAGNOSTICS
from heron.editor.lsp.scene import open_scene
from heron.editor.tools.tool import ToolOutcome
from heron.wire import ToolCall
from protocol.lsp_editor import Editor, connect_nowhere, editor_of

NO_INDEX = {"index": {"enabled": False}}


def finding(line: int, start: int, end: int, **members: object) -> dict[str, Any]:
    places = [{"line": line, "character": character} for character in (start, end)]
    return {"range": {"start": places[0], "end": places[1]}, "message": "m"} | members


async def settle(editor: Editor) -> None:
    """Notifications are handled in order: an answered request shows that those before it are done."""
    await editor.request("heron/lastTimings")


async def call(editor: Editor, tool: str, **arguments: object) -> ToolOutcome:
    registry, scene = editor.session.tools, open_scene(editor.session)
    return await registry.run(ToolCall("1", tool, json.dumps(arguments)), scene)


async def test_diagnostics_are_kept_in_code_points_and_forgotten(tmp_path: Path) -> None:
    uri = (tmp_path / "a.py").as_uri()
    async with editor_of(connect_nowhere) as editor:
        await editor.initialize(NO_INDEX, rootUri=tmp_path.as_uri())
        editor.open("'😀' + x\n", uri)
        found = finding(0, 7, 8, severity=2, source="ruff", code=821)
        editor.notify(DID_CHANGE_DIAGNOSTICS, {"uri": uri, "diagnostics": [found]})
        await settle(editor)
        where = Range(Position(0, 6), Position(0, 7))
        assert editor.session.diagnostics == {uri: (Diagnostic(where, "m", "warning", "ruff", "821"),)}
        assert (await call(editor, "diagnostics")).text == "a.py:1:7: warning: m [ruff 821]"
        editor.notify(DID_CHANGE_DIAGNOSTICS, {"uri": uri, "diagnostics": []})
        await settle(editor)
        assert editor.session.diagnostics == {}


@pytest.mark.parametrize(
    "params",
    [
        None,
        [],
        {"uri": 1, "diagnostics": []},
        {"uri": "file:///a"},
        {"uri": "file:///a", "diagnostics": [{"message": "m"}]},
    ],
)
async def test_diagnostics_of_the_wrong_shape_are_ignored(params: object) -> None:
    async with editor_of(connect_nowhere) as editor:
        await editor.initialize(NO_INDEX)
        editor.notify(DID_CHANGE_DIAGNOSTICS, params)
        await settle(editor)
        assert editor.session.diagnostics == {}


async def test_more_diagnostics_than_anyone_reads_are_not_kept() -> None:
    async with editor_of(connect_nowhere) as editor:
        await editor.initialize(NO_INDEX)
        many = [finding(line, 0, 1) for line in range(5000)]
        editor.notify(DID_CHANGE_DIAGNOSTICS, {"uri": "file:///not/open", "diagnostics": many})
        await settle(editor)
        assert len(editor.session.diagnostics["file:///not/open"]) == 1000


async def test_tools_see_unsaved_text_and_only_the_workspace(tmp_path: Path) -> None:
    folder = tmp_path / "ws"
    folder.mkdir()
    (tmp_path / "outside.txt").write_text("outside")
    async with editor_of(connect_nowhere) as editor:
        folders = [{"uri": folder.as_uri(), "name": "ws"}]
        await editor.initialize(NO_INDEX, workspaceFolders=folders)
        editor.open("unsaved = 1\n", (folder / "a.py").as_uri())
        await settle(editor)
        assert "unsaved = 1" in (await call(editor, "read_file", path="a.py")).text
        assert (await call(editor, "read_file", path=str(tmp_path / "outside.txt"))).status == "refused"
        assert (
            await call(editor, "run_command", command="true")
        ).text == "run_command is switched off in the settings."


async def test_a_broken_mcp_file_is_told_of_and_the_other_tools_stay(heron_home: Path) -> None:
    (heron_home / "mcp.json").write_text('{"mcpServers": {"a": {}}}')
    async with editor_of(connect_nowhere) as editor:
        await editor.initialize(NO_INDEX)
        assert editor.session.tools.find("read_file")
        await editor.wait_for(lambda: bool(editor.told("window/showMessage")))
        said = editor.told("window/showMessage")[0]["message"]
        assert said == 'Heron: mcp.json, server \'a\': it needs either "command" or "url".'


async def test_new_settings_make_the_tools_anew() -> None:
    async with editor_of(connect_nowhere) as editor:
        await editor.initialize(NO_INDEX)
        before = editor.session.tools
        assert editor.session.tools is before
        allowed = NO_INDEX | {"tools": {"run_command": True}}
        editor.notify("workspace/didChangeConfiguration", {"settings": {"heron": allowed}})
        await settle(editor)
        assert {spec.name for spec in editor.session.tools.specs()} - {spec.name for spec in before.specs()} == {
            "run_command"
        }
