"""Chat over LSP, against the scripted engine behind a real HTTP server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from heron.errors import OutOfMemory
from heron.host.engine.scripted import Answers, Reply, Script, ScriptedEngine, prompt_text
from heron.wire import ChatPrompt, ModelInfo
from protocol.lsp_editor import URI, Editor, connect_nowhere, editor_of, editor_with

TOKEN = "chat-1"


@asynccontextmanager
async def chatting(folder: Path, answers: Answers = "It adds.") -> AsyncIterator[tuple[Editor, ScriptedEngine]]:
    """An editor on an empty workspace folder, and the engine that answers it."""
    engine = ScriptedEngine(answers)
    (folder / "work").mkdir(exist_ok=True)
    async with editor_with(engine, folder, {"chat": {"tools": "gather"}}, rootUri=(folder / "work").as_uri()) as editor:
        yield editor, engine


async def create(editor: Editor, **params: object) -> str:
    return str((await editor.request("conversation/create", params))["result"]["conversationId"])


async def ask(editor: Editor, conversation: str, text: str, **params: object) -> dict[str, Any]:
    return await editor.request("conversation/turn", turn_params(conversation, text, **params))


def turn_params(conversation: str, text: str, **params: object) -> dict[str, Any]:
    return {"conversationId": conversation, "message": text, "workDoneToken": TOKEN, **params}


async def kept(editor: Editor) -> list[dict[str, Any]]:
    """The conversations that are listed."""
    return list((await editor.request("conversation/list"))["result"]["conversations"])


def engine_text(engine: ScriptedEngine) -> str:
    """What the model was shown last."""
    return prompt_text(engine.requests[-1].prompt)


def reports(editor: Editor, token: str = TOKEN) -> list[dict[str, Any]]:
    return [params["value"] for params in editor.told("$/progress") if params["token"] == token]


async def test_an_answer_streams_between_begin_and_end(tmp_path: Path) -> None:
    async with chatting(tmp_path) as (editor, _):
        conversation = await create(editor)
        result = (await ask(editor, conversation, "What is 1 + 1?"))["result"]
        begin, *middle, end = reports(editor)
        assert (begin["kind"], begin["conversationId"], begin["cancellable"]) == ("begin", conversation, True)
        assert "".join(value.get("reply", "") for value in middle) == "It adds."
        assert (end["kind"], end["state"]) == ("end", "complete")
        assert end["usage"]["completionTokens"] > 0
        assert (result["answer"], result["state"], result["turnId"]) == ("It adds.", "complete", begin["turnId"])


async def test_without_a_token_the_result_alone_tells(tmp_path: Path) -> None:
    async with chatting(tmp_path) as (editor, _):
        conversation = await create(editor)
        response = await editor.request("conversation/turn", {"conversationId": conversation, "message": "Hi"})
        assert response["result"]["answer"] == "It adds."
        assert not [params for params in editor.told("$/progress") if params["value"].get("reply")]


async def test_the_second_turn_begins_with_the_first_unchanged(tmp_path: Path) -> None:
    async with chatting(tmp_path) as (editor, engine):
        conversation = await create(editor)
        await ask(editor, conversation, "One?")
        await ask(editor, conversation, "Two?")
        first, second = (request.prompt for request in engine.requests)
        assert isinstance(first, ChatPrompt)
        assert isinstance(second, ChatPrompt)
        assert second.messages[: len(first.messages)] == first.messages
        assert [message.content for message in second.messages[-2:]] == ["It adds.", "Two?"]


async def test_attachments_and_the_selection_are_shown_to_the_model(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "cart.py").write_text("def total():\n    return 1\n")
    async with chatting(tmp_path) as (editor, engine):
        editor.open("first = 1\nsecond = 2\n", uri=URI)
        conversation = await create(editor)
        selection = {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 10}}
        attachments = [{"kind": "file", "uri": (tmp_path / "work" / "cart.py").as_uri()}]
        front = {"textDocument": {"uri": URI}, "selection": selection}
        await ask(editor, conversation, "Why?", attachments=attachments, **front)
        shown = engine_text(engine)
        assert "cart.py lines 1-2" in shown
        assert "return 1" in shown
        assert "Selected, a.py lines 2-2:\n```py\nsecond = 2\n```" in shown
        assert "first = 1" not in shown
        told = [value["references"][0] for value in reports(editor) if "references" in value]
        assert [(place["path"], place["range"]["start"]["line"]) for place in told] == [("a.py", 1), ("cart.py", 0)]


async def test_names_in_a_question_are_looked_up_in_the_index(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "cart.py").write_text("import math\n\n\ndef total_price(n):\n    return math.floor(n)\n")
    (tmp_path / "work" / "till.py").write_text("from cart import total_price\n\nprint(total_price(3))\n")
    async with chatting(tmp_path) as (editor, engine):
        conversation = await create(editor)
        first = (await ask(editor, conversation, "What does total_price do?"))["result"]
        (place,) = first["references"]
        assert (place["path"], place["range"]["start"]["line"], place["range"]["end"]["line"]) == ("cart.py", 3, 4)
        assert "def total_price(n):\n    return math.floor(n)" in engine_text(engine)
        second = (await ask(editor, conversation, "Who calls total_price?"))["result"]
        assert ("till.py", 2) in [(one["path"], one["range"]["start"]["line"]) for one in second["references"]]
        await ask(editor, conversation, "What does no_such_name do?")
        assert any("no_such_name" in value.get("notice", "") for value in reports(editor))


async def test_ranges_come_and_go_in_the_clients_units(tmp_path: Path) -> None:
    async with chatting(tmp_path) as (editor, engine):
        editor.open('x = "😀😀"; y = 1\n', uri=URI)
        conversation = await create(editor)
        selection = {"start": {"line": 0, "character": 12}, "end": {"line": 0, "character": 17}}  # UTF-16 units
        result = await ask(editor, conversation, "Why?", textDocument={"uri": URI}, selection=selection)
        assert "```py\ny = 1\n```" in engine_text(engine)
        assert result["result"]["references"][0]["range"] == selection


async def test_private_files_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / ".env").write_text("TOKEN=hunter2hunter2\n")
    async with chatting(tmp_path) as (editor, engine):
        conversation = await create(editor)
        attachments = [{"kind": "file", "uri": (tmp_path / "work" / ".env").as_uri()}]
        await ask(editor, conversation, "What is in #file:.env and .env?", attachments=attachments)
        assert "hunter2" not in engine_text(engine)
        assert any("notice" in value for value in reports(editor))


@pytest.mark.parametrize("way", ["request", "progress"])
async def test_a_cancelled_turn_keeps_what_was_answered(tmp_path: Path, way: str) -> None:
    async with chatting(tmp_path, Script(otherwise=Reply("It adds two numbers.", hold_after=2))) as (editor, engine):
        conversation = await create(editor)
        request = editor.start("conversation/turn", turn_params(conversation, "What?"))
        await editor.wait_for(lambda: len([value for value in reports(editor) if "reply" in value]) == 2)
        if way == "request":
            editor.notify("$/cancelRequest", {"id": request})
        else:
            editor.notify("window/workDoneProgress/cancel", {"token": TOKEN})
        assert (await editor.wait(request))["error"]["code"] == -32800
        assert reports(editor)[-1]["state"] == "cancelled"
        await engine.wait_for(lambda engine: len(engine.aborted) == 1)
        engine.release()
        resumed = (await editor.request("conversation/create", {"conversationId": conversation}))["result"]
        assert [(turn["state"], turn["answer"].strip()) for turn in resumed["turns"]] == [("cancelled", "It adds")]
        engine._answers = "More."
        assert (await ask(editor, conversation, "Go on."))["result"]["answer"] == "More."
        assert "[The answer was stopped here.]" in engine_text(engine)


async def test_a_turn_during_a_turn_is_refused_and_disturbs_nothing(tmp_path: Path) -> None:
    async with chatting(tmp_path) as (editor, engine):
        conversation = await create(editor)
        engine.hold()
        first = editor.start("conversation/turn", turn_params(conversation, "One?"))
        await engine.wait_for(lambda engine: len(engine.requests) == 1)
        for params in ({"workDoneToken": "other"}, {}):
            error = (await ask(editor, conversation, "Two?", **params))["error"]
            assert (error["code"], error["data"]["code"]) == (-32602, "invalid_request")
            assert "is running" in error["message"]
        other = await create(editor)
        assert "in use" in (await ask(editor, other, "Two?"))["error"]["message"]
        engine.release()
        assert (await editor.wait(first))["result"]["answer"] == "It adds."


@pytest.mark.parametrize(
    ("method", "params", "said"),
    [
        ("conversation/turn", {"conversationId": "nope", "message": "x"}, "no conversation 'nope'"),
        ("conversation/turn", {"message": "x"}, "conversationId is missing"),
        ("conversation/turn", None, "conversationId is missing"),
        ("conversation/turn", [], "params must be an object"),
        ("conversation/create", {"conversationId": "nope"}, "no conversation"),
        ("conversation/create", {"title": "x" * 201}, "title has 1 to 200"),
        ("conversation/destroy", {"conversationId": "nope"}, "no conversation"),
        ("conversation/delete", {"conversationId": 7}, "conversationId must be a string, not 7"),
        ("conversation/rename", {"conversationId": "nope", "title": "x"}, "no conversation"),
        ("conversation/list", {"limit": 0}, "limit must be a whole number from 1"),
    ],
)
async def test_wrong_params_name_what_is_wrong(tmp_path: Path, method: str, params: object, said: str) -> None:
    async with editor_of(connect_nowhere) as editor:
        await editor.initialize()
        error = (await editor.request(method, params))["error"]
        assert error["code"] == -32602
        assert said in error["message"]


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"message": "  "}, "A message has 1 to"),
        ({"message": 5}, "message must be a string"),
        ({"workDoneToken": []}, "workDoneToken must be"),
        ({"attachments": [{"kind": "film"}]}, "'film' is not one of selection, file, symbol, diagnostics"),
        ({"attachments": [{"kind": "file"}]}, "attachments[0].uri is missing"),
        ({"attachments": "x"}, "attachments must be a list"),
        ({"attachments": [{"kind": "selection", "uri": "file:///x"}]}, "has no range"),
        ({"attachments": [{"kind": "file", "uri": "x", "range": {}}]}, "range must be a range with start and end"),
        ({"selection": {"start": {"line": -1, "character": 0}, "end": {}}}, "selection.start.line must be"),
    ],
)
async def test_a_wrong_question_is_refused_before_anything_runs(tmp_path: Path, extra: Any, said: str) -> None:
    async with chatting(tmp_path) as (editor, engine):
        conversation = await create(editor)
        error = (await ask(editor, conversation, "x", **extra))["error"]
        assert said in error["message"]
        assert not reports(editor)
        assert not engine.requests
        assert (await ask(editor, conversation, "x"))["result"]["state"] == "complete"


async def test_a_failing_model_ends_the_turn_with_its_error(tmp_path: Path) -> None:
    async with chatting(tmp_path, {"good": "Fine.", "bad": OutOfMemory("No room.")}) as (editor, _):
        conversation = await create(editor)
        error = (await ask(editor, conversation, "bad?"))["error"]
        assert (error["code"], error["data"]) == (-32803, {"code": "out_of_memory", "category": "resource"})
        end = reports(editor)[-1]
        assert (end["state"], end["error"]["code"]) == ("failed", "out_of_memory")
        assert (await ask(editor, conversation, "good?"))["result"]["state"] == "complete"


async def test_conversations_are_listed_renamed_resumed_and_deleted(tmp_path: Path) -> None:
    async with chatting(tmp_path) as (editor, _):
        conversation = await create(editor)
        assert await kept(editor) == []
        await ask(editor, conversation, "What does\nthis do?")
        assert [(item["title"], item["numTurns"]) for item in await kept(editor)] == [("What does", 1)]
        assert (await editor.request("conversation/rename", {"conversationId": conversation, "title": "T"}))["id"]
        assert (await editor.request("conversation/destroy", {"conversationId": conversation}))["result"] is None
        resumed = (await editor.request("conversation/create", {"conversationId": conversation}))["result"]
        assert (resumed["title"], resumed["turns"][0]["message"]) == ("T", "What does\nthis do?")
        await editor.request("conversation/delete", {"conversationId": conversation})
        assert await kept(editor) == []
        assert "error" in await editor.request("conversation/create", {"conversationId": conversation})


@pytest.mark.parametrize("way", ["conversation/destroy", "conversation/delete"])
async def test_ending_a_conversation_cancels_its_turn(tmp_path: Path, way: str) -> None:
    async with chatting(tmp_path) as (editor, engine):
        conversation = await create(editor)
        engine.hold()
        request = editor.start("conversation/turn", turn_params(conversation, "One?"))
        await engine.wait_for(lambda engine: len(engine.requests) == 1)
        assert (await editor.request(way, {"conversationId": conversation}))["result"] is None
        assert (await editor.wait(request))["error"]["code"] == -32800
        assert len(await kept(editor)) == (way == "conversation/destroy")


async def test_what_does_not_fit_the_window_is_dropped_and_said(tmp_path: Path) -> None:
    model = ModelInfo("scripted-1b", 400, supports_chat=True)
    engine = ScriptedEngine("word " * 40, model=model)
    async with editor_with(engine, tmp_path, {"chat": {"max_tokens": 60, "tools": "gather"}}) as editor:
        conversation = await create(editor)
        for number in range(8):
            assert "result" in await ask(editor, conversation, f"Question {number}?")
        assert any("oldest" in value.get("notice", "") for value in reports(editor))
        assert "Question 0?" not in engine_text(engine)
        assert "Question 7?" in engine_text(engine)
        error = (await ask(editor, conversation, "x " * 500))["error"]
        assert error["data"]["code"] == "context_length_exceeded"


@pytest.mark.parametrize("name", ["explain", "fix", "tests", "doc", "refactor"])
async def test_editor_commands_ask_about_the_selection(tmp_path: Path, name: str) -> None:
    async with chatting(tmp_path) as (editor, engine):
        editor.open("def add(a, b):\n    return a - b\n", uri=URI)
        selection = {"start": {"line": 0, "character": 0}, "end": {"line": 2, "character": 0}}
        argument = {"textDocument": {"uri": URI}, "selection": selection, "message": "Be short."}
        params = {"command": f"heron.{name}", "arguments": [argument], "workDoneToken": TOKEN}
        result = (await editor.request("workspace/executeCommand", params))["result"]
        assert result["message"] == f"/{name} Be short."
        assert result["answer"] == "It adds."
        assert "return a - b" in engine_text(engine)
        assert "Be short." in engine_text(engine)
        assert f"/{name}" not in engine_text(engine)
        assert reports(editor)[-1]["kind"] == "end"


async def test_help_needs_no_model(tmp_path: Path) -> None:
    async with editor_of(connect_nowhere) as editor:
        response = await editor.initialize()
        offered = response["result"]["capabilities"]["executeCommandProvider"]["commands"]
        assert {"heron.explain", "heron.help"} <= set(offered)
        answer = await editor.request("workspace/executeCommand", {"command": "heron.help"})
        assert "/explain" in answer["result"]["answer"]
        conversation = await create(editor)
        assert "/explain" in (await ask(editor, conversation, "/help"))["result"]["answer"]


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"command": "heron.nope"}, "no command 'heron.nope'"),
        ({"command": "heron.explain", "arguments": ["x"]}, "at most one object"),
        ({"command": "heron.explain", "arguments": [{"conversationId": "nope"}]}, "no conversation"),
    ],
)
async def test_wrong_commands(params: dict[str, Any], said: str) -> None:
    async with editor_of(connect_nowhere) as editor:
        await editor.initialize()
        error = (await editor.request("workspace/executeCommand", params))["error"]
        assert error["code"] == -32602
        assert said in error["message"]
