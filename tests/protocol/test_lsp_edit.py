"""heron/edit and heron/commitMessage over LSP with a scripted model."""

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from heron.host.engine.scripted import ScriptedEngine
from protocol.lsp_editor import URI, Editor, editor_with

CODE = "def add(a, b):\n    return a - b\n\n\nx = 1\n"
ANSWER = "```python\ndef add(a, b):\n    return a + b\n```\n"


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine(ANSWER)


@pytest.fixture
async def editor(engine: ScriptedEngine, tmp_path: Path) -> AsyncIterator[Editor]:
    async with editor_with(engine, tmp_path) as editor:
        editor.open(CODE)
        yield editor


def asked(**changes: Any) -> dict[str, Any]:
    place = {"line": 1, "character": 4}
    given = {"textDocument": {"uri": URI, "version": 1}, "range": {"start": place, "end": place}}
    return given | {"instruction": "Add instead", "workDoneToken": "t"} | changes


async def test_the_edit_touches_only_what_changed_and_is_previewed(editor: Editor) -> None:
    result = (await editor.request("heron/edit", asked()))["result"]
    (edit,) = result["edit"]["changes"][URI]
    assert edit["newText"] == "    return a + b\n"
    assert (edit["range"]["start"]["line"], edit["range"]["end"]["line"]) == (1, 2)
    reports = [params["value"] for params in editor.told("$/progress") if params["token"] == "t"]
    assert "".join(report["delta"] for report in reports) == ANSWER
    assert [report["restart"] for report in reports] == [True] + [False] * (len(reports) - 1)


async def test_the_model_is_told_the_instruction_and_the_definition(editor: Editor, engine: ScriptedEngine) -> None:
    await editor.request("heron/edit", asked())
    question = str(engine.requests[0].prompt)
    assert "Add instead" in question
    assert "return a - b" in question
    assert "x = 1" not in question


async def test_what_does_not_parse_is_asked_once_more_and_then_refused(tmp_path: Path) -> None:
    engine = ScriptedEngine("```python\ndef add(a, b:\n```")
    async with editor_with(engine, tmp_path) as editor:
        editor.open(CODE)
        error = (await editor.request("heron/edit", asked()))["error"]
    assert error["data"] == {"code": "edit_refused", "category": "model"}
    assert "not valid python" in error["message"]
    assert len(engine.requests) == 2
    assert "not valid python" in str(engine.requests[1].prompt)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"instruction": " "}, "instruction"),
        ({"instruction": "x" * 3000}, "instruction"),
        ({"instruction": None}, "instruction"),
        ({"range": None}, "range"),
        ({"range": {"start": {"line": -1, "character": 0}, "end": {"line": 0, "character": 0}}}, "range.start.line"),
        ({"textDocument": None}, "textDocument"),
        ({"workDoneToken": []}, "workDoneToken"),
    ],
)
async def test_bad_params_are_named(editor: Editor, changes: dict[str, Any], said: str) -> None:
    error = (await editor.request("heron/edit", asked(**changes)))["error"]
    assert error["code"] == -32602
    assert said in error["message"]


async def test_another_version_is_content_modified(editor: Editor, engine: ScriptedEngine) -> None:
    error = (await editor.request("heron/edit", asked(textDocument={"uri": URI, "version": 7})))["error"]
    assert error["code"] == -32801
    assert engine.requests == []


async def test_a_commit_message_for_what_changed(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    _git(folder, "init", "-q")
    (folder / "a.py").write_text("x = 1\n")
    _git(folder, "add", ".")
    _git(folder, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "First")
    engine = ScriptedEngine('{"subject": "Set x to two."}')
    folders = [{"uri": folder.as_uri(), "name": "work"}]
    async with editor_with(engine, tmp_path, workspaceFolders=folders) as editor:
        nothing = await editor.request("heron/commitMessage")
        (folder / "a.py").write_text("x = 2\n")
        response = await editor.request("heron/commitMessage")
    assert nothing["error"]["message"] == "There are no changes to describe."
    assert response["result"] == {"message": "Set x to two"}
    assert "+x = 2" in str(engine.requests[0].prompt)


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True)
