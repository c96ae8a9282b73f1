"""What Emacs, Helix and their like need, which have no plugin of ours."""

from pathlib import Path
from typing import Any

import pytest

from heron.editor.lsp.shown_answers import KEPT
from heron.editor.workspace.uris import path_of_uri
from heron.host.engine.scripted import ScriptedEngine
from protocol.lsp_editor import URI, Editor, editor_with

CAPABILITIES = {"window": {"showDocument": {"support": True}, "workDoneProgress": True}}


async def run(editor: Editor, command: str, **argument: object) -> dict[str, Any]:
    editor.answers["window/showDocument"] = {"success": True}
    params = {"command": command, "arguments": [argument]}
    return dict((await editor.request("workspace/executeCommand", params))["result"])


async def test_an_answer_is_opened_as_a_document(tmp_path: Path) -> None:
    async with editor_with(ScriptedEngine("It adds."), tmp_path, capabilities=CAPABILITIES) as editor:
        editor.open("def add(a, b):\n    return a - b\n")
        result = await run(editor, "heron.explain", textDocument={"uri": URI}, message="Be short.")
        (shown,) = editor.told("window/showDocument")
        path = path_of_uri(shown["uri"])
        assert path is not None
        assert path.read_text() == "# /explain Be short.\n\nIt adds.\n"
        assert result["answer"] == "It adds."
        token = editor.told("window/workDoneProgress/create")[-1]["token"]
        kinds = [told["value"]["kind"] for told in editor.told("$/progress") if told["token"] == token]
        assert (kinds[0], kinds[-1]) == ("begin", "end")


async def test_help_is_a_document_too(tmp_path: Path) -> None:
    async with editor_with(ScriptedEngine(""), tmp_path, capabilities=CAPABILITIES) as editor:
        await run(editor, "heron.help")
        path = path_of_uri(editor.told("window/showDocument")[0]["uri"])
        assert path is not None
        assert path.read_text().startswith("# /help\n\n- `/explain`")


async def test_an_editor_that_refuses_the_document_has_the_result(tmp_path: Path) -> None:
    async with editor_with(ScriptedEngine("It adds."), tmp_path, capabilities=CAPABILITIES) as editor:
        editor.refuse_progress = True
        assert (await run(editor, "heron.explain", message="x"))["answer"] == "It adds."


@pytest.mark.parametrize("follows", ["token", "conversation", "shows nothing"])
async def test_who_follows_the_answer_is_shown_no_document(tmp_path: Path, follows: str) -> None:
    capabilities: object = {} if follows == "shows nothing" else CAPABILITIES
    async with editor_with(ScriptedEngine("It adds."), tmp_path, capabilities=capabilities) as editor:
        conversation = (await editor.request("conversation/create", {}))["result"]["conversationId"]
        argument = {"token": {"workDoneToken": "t"}, "conversation": {"conversationId": conversation}}.get(follows, {})
        assert (await run(editor, "heron.explain", **argument))["answer"] == "It adds."
        assert not editor.told("window/showDocument")


async def test_the_last_documents_are_kept(tmp_path: Path) -> None:
    async with editor_with(ScriptedEngine("It adds."), tmp_path, capabilities=CAPABILITIES) as editor:
        for _ in range(KEPT + 2):
            await run(editor, "heron.explain", message="x")
        paths = [path_of_uri(shown["uri"]) for shown in editor.told("window/showDocument")]
        assert [path is not None and path.exists() for path in paths] == [False] * 2 + [True] * KEPT


async def test_settings_that_say_nothing_change_nothing(tmp_path: Path) -> None:
    """Emacs' eglot sends them to every server."""
    async with editor_with(ScriptedEngine("1"), tmp_path, {"completion": {"max_tokens": 7}}) as editor:
        editor.notify("workspace/didChangeConfiguration", {"settings": {}})
        await editor.request("heron/lastTimings")
        assert editor.session.settings.completion.max_tokens == 7
        editor.notify("workspace/didChangeConfiguration", {"settings": {"heron": {}}})
        await editor.request("heron/lastTimings")
        assert editor.session.settings.completion.max_tokens != 7


async def test_an_action_that_is_complete_is_resolved_to_itself(tmp_path: Path) -> None:
    """Helix resolves every action without an edit, also those with a command."""
    async with editor_with(ScriptedEngine("1"), tmp_path) as editor:
        action = {"title": "Explain", "command": {"title": "Explain", "command": "heron.explain"}}
        assert (await editor.request("codeAction/resolve", action))["result"] == action
