"""Code actions over LSP: the menu without the model, the edit with a scripted one."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from heron.errors import EditRefused
from heron.host.engine.scripted import ScriptedEngine
from protocol.lsp_editor import CAPABILITIES, URI, Editor, connect_nowhere, editor_of, editor_with

ADD = "def add(a, b=1):\n    return a + b\n"
FULL: dict[str, Any] = {
    **CAPABILITIES,
    "textDocument": {
        "codeAction": {
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": [""]}},
            "isPreferredSupport": True,
            "disabledSupport": True,
            "dataSupport": True,
            "resolveSupport": {"properties": ["edit"]},
            "tagSupport": {"valueSet": [1]},
        }
    },
    "workspace": {
        "applyEdit": True,
        "workspaceEdit": {
            "documentChanges": True,
            "resourceOperations": ["create"],
            "changeAnnotationSupport": {},
            "metadataSupport": True,
        },
    },
}


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine("adds two numbers\n")


@pytest.fixture
async def editor(engine: ScriptedEngine, tmp_path: Path) -> AsyncIterator[Editor]:
    async with open_editor(engine, tmp_path, FULL) as editor:
        yield editor


def open_editor(
    engine: ScriptedEngine, folder: Path, capabilities: dict[str, Any]
) -> AbstractAsyncContextManager[Editor]:
    return editor_with(engine, folder, capabilities=capabilities)


def place(line: int, character: int = 0) -> dict[str, Any]:
    position = {"line": line, "character": character}
    return {"start": position, "end": position}


def diagnostic(line: int, message: str) -> dict[str, Any]:
    return {"range": place(line), "message": message, "severity": 1}


async def menu(editor: Editor, line: int = 0, **context: Any) -> list[dict[str, Any]]:
    params = {"textDocument": {"uri": URI}, "range": place(line), "context": {"diagnostics": []} | context}
    result = (await editor.request("textDocument/codeAction", params))["result"]
    assert isinstance(result, list)
    return result


async def titled(editor: Editor, title: str, line: int = 0, **context: Any) -> dict[str, Any]:
    return next(action for action in await menu(editor, line, **context) if action["title"].startswith(title))


async def test_the_menu_needs_no_model_and_its_entries_no_edit(editor: Editor, engine: ScriptedEngine) -> None:
    editor.open(ADD)
    action = await titled(editor, "Document add")
    assert (action["kind"], action["tags"]) == ("refactor.rewrite", [1])
    assert "edit" not in action
    assert (action["data"]["uri"], action["data"]["version"]) == (URI, 1)
    assert engine.requests == []


async def test_resolving_brings_a_versioned_annotated_edit(editor: Editor) -> None:
    editor.open(ADD)
    resolved = (await editor.request("codeAction/resolve", await titled(editor, "Document add")))["result"]
    (change,) = resolved["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": URI, "version": 1}
    (edit,) = change["edits"]
    assert edit["range"] == place(1)
    assert edit["newText"].startswith('    """Adds two numbers.\n\n    Args:\n        a: Adds two numbers.\n')
    assert edit["annotationId"] in resolved["edit"]["changeAnnotations"]


async def test_a_changed_document_is_content_modified(editor: Editor, engine: ScriptedEngine) -> None:
    editor.open(ADD)
    action = await titled(editor, "Document add")
    editor.insert(2, 1, 0, "    a = 1\n")
    error = (await editor.request("codeAction/resolve", action))["error"]
    assert (error["code"], error["message"]) == (
        -32801,
        "a.py was changed since the action was offered. Ask again.",
    )
    assert engine.requests == []


async def test_a_change_while_the_model_writes_is_content_modified(editor: Editor, engine: ScriptedEngine) -> None:
    engine.hold()
    editor.open(ADD)
    request = editor.start("codeAction/resolve", await titled(editor, "Document add"))
    await engine.wait_for(lambda engine: len(engine.requests) == 1)
    editor.insert(2, 1, 0, "    a = 1\n")
    engine.release()
    assert (await editor.wait(request))["error"]["code"] == -32801


async def test_cancelling_ends_the_generation(editor: Editor, engine: ScriptedEngine) -> None:
    engine.hold()
    editor.open(ADD)
    request = editor.start("codeAction/resolve", await titled(editor, "Document add"))
    await engine.wait_for(lambda engine: len(engine.requests) == 1)
    editor.notify("$/cancelRequest", {"id": request})
    assert (await editor.wait(request))["error"]["code"] == -32800
    await engine.wait_for(lambda engine: len(engine.aborted) == 1)


async def test_only_is_honoured(editor: Editor) -> None:
    editor.open(ADD)
    assert {action["kind"] for action in await menu(editor, only=["refactor"])} == {"refactor.rewrite"}
    assert await menu(editor, only=["source.organizeImports"]) == []


async def test_a_moving_cursor_gets_no_menu_in_a_body(editor: Editor) -> None:
    editor.open(ADD)
    assert await menu(editor, 1, triggerKind=2) == []
    assert await menu(editor, 1, triggerKind=1)
    assert await menu(editor, 0, triggerKind=2)


async def test_a_linter_that_misses_a_docstring_makes_it_a_preferred_quick_fix(editor: Editor) -> None:
    editor.open(ADD)
    complaint = diagnostic(0, "D103 Missing docstring in public function")
    action = await titled(editor, "Document add", diagnostics=[complaint])
    assert (action["kind"], action["isPreferred"]) == ("quickfix", True)
    assert action["diagnostics"] == [complaint]


async def test_data_that_is_not_ours_is_refused_by_name(editor: Editor) -> None:
    for data, param in ((None, "data"), ({"action": "document"}, "data.range"), ({"action": 1}, "data.range")):
        response = await editor.request("codeAction/resolve", {"title": "x", "data": data})
        assert response["error"]["code"] == -32602
        assert param in response["error"]["message"]


async def test_an_unknown_action_is_refused_with_those_there_are(editor: Editor) -> None:
    editor.open(ADD)
    action = await titled(editor, "Document add")
    action["data"]["action"] = "brew"
    error = (await editor.request("codeAction/resolve", action))["error"]
    assert "'brew'" in error["message"]
    assert "document" in error["message"]


async def test_clients_that_cannot_resolve_get_a_command_that_applies_the_edit(
    engine: ScriptedEngine, tmp_path: Path
) -> None:
    literals = {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}}
    simple = {**CAPABILITIES, "textDocument": {"codeAction": literals}}
    async with open_editor(engine, tmp_path, simple) as editor:
        editor.open(ADD)
        action = await titled(editor, "Document add")
        assert "data" not in action
        command = action["command"]
        editor.answers["workspace/applyEdit"] = {"applied": True}
        given = {"command": command["command"], "arguments": command["arguments"]}
        response = await editor.request("workspace/executeCommand", given)
        assert response["result"] == {"applied": True, "reason": ""}
        (asked,) = editor.told("workspace/applyEdit")
        assert list(asked["edit"]["changes"]) == [URI]
        assert asked["label"] == "Document add"


async def test_bare_commands_for_clients_without_literals(engine: ScriptedEngine, tmp_path: Path) -> None:
    async with open_editor(engine, tmp_path, CAPABILITIES) as editor:
        editor.open(ADD)
        assert (await titled(editor, "Document add"))["command"] == "heron.runAction"


async def test_while_the_model_loads_entries_are_disabled_with_the_reason() -> None:
    async with editor_of(connect_nowhere) as editor:
        await editor.initialize(capabilities=FULL)
        editor.open(ADD)
        action = await titled(editor, "Document add")
        assert action["disabled"] == {"reason": "The model is not ready yet."}
        assert "data" not in action
        assert await menu(editor, triggerKind=2) == []


async def test_a_failure_of_the_model_is_told(tmp_path: Path) -> None:
    async with open_editor(ScriptedEngine(lambda request: EditRefused("No.")), tmp_path, FULL) as editor:
        editor.open(ADD)
        response = await editor.request("codeAction/resolve", await titled(editor, "Document add"))
        assert response["error"]["code"] == -32803


async def test_a_test_is_written_into_a_new_file(engine: ScriptedEngine, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    (folder / "tests").mkdir(parents=True)
    folders = [{"uri": folder.as_uri(), "name": "work"}]
    engine = ScriptedEngine("1, 2) == 3\n\n\ndef other():\n")
    async with editor_with(engine, tmp_path, capabilities=FULL, workspaceFolders=folders) as editor:
        uri = (folder / "a.py").as_uri()
        editor.open(ADD, uri=uri)
        params = {"textDocument": {"uri": uri}, "range": place(0), "context": {"diagnostics": []}}
        actions = (await editor.request("textDocument/codeAction", params))["result"]
        action = next(action for action in actions if action["title"] == "Write a test for add")
        changes = (await editor.request("codeAction/resolve", action))["result"]["edit"]["documentChanges"]
    target = (folder / "tests" / "test_a.py").as_uri()
    assert [(change.get("kind"), _uri(change)) for change in changes] == [("create", target), (None, target)]
    written = changes[1]["edits"][0]["newText"]
    assert written == "from a import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"


def _uri(change: dict[str, Any]) -> str:
    return str(change.get("uri") or change["textDocument"]["uri"])


async def test_tests_are_not_offered_to_a_client_that_cannot_create_files(
    engine: ScriptedEngine, tmp_path: Path
) -> None:
    async with open_editor(engine, tmp_path, CAPABILITIES) as editor:
        editor.open(ADD)
        assert not [entry for entry in await menu(editor) if entry["title"].startswith("Write a test")]


async def test_explaining_is_a_command_of_the_chat(editor: Editor) -> None:
    editor.open(ADD)
    command = (await titled(editor, "Explain add"))["command"]
    assert command["command"] == "heron.explain"
    assert command["arguments"][0] == {
        "textDocument": {"uri": URI},
        "selection": place(0),
        "message": "Explain `add`.",
    }


async def test_a_known_fix_is_resolved_without_the_model(editor: Editor, engine: ScriptedEngine) -> None:
    editor.open("value = 1\nprint(valu)\n")
    problem = diagnostic(1, "name 'valu' is not defined")
    action = await titled(editor, "Change valu to value", 1, diagnostics=[problem])
    assert (action["kind"], action["isPreferred"]) == ("quickfix", True)
    (change,) = (await editor.request("codeAction/resolve", action))["result"]["edit"]["documentChanges"]
    assert [(edit["range"], edit["newText"]) for edit in change["edits"]] == [
        ({"start": {"line": 1, "character": 6}, "end": {"line": 1, "character": 10}}, "value")
    ]
    assert engine.requests == []


async def test_positions_are_in_the_clients_units(editor: Editor) -> None:
    editor.open("value = 1\nprint('😀', valu)\n")
    action = await titled(
        editor, "Change valu", 1, diagnostics=[{**diagnostic(1, "name 'valu' is not defined"), "range": place(1, 12)}]
    )
    (change,) = (await editor.request("codeAction/resolve", action))["result"]["edit"]["documentChanges"]
    assert change["edits"][0]["range"]["start"] == {"line": 1, "character": 12}
