"""conversation/warm: what a question will be asked with is read by the model while the question is being typed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from heron.host.engine.scripted import ScriptedEngine
from heron.wire import ChatPrompt, GenerateRequest, ModelInfo
from protocol.lsp_editor import Editor, editor_with

CODE = "def total_price(n):\n    return n * 2\n"
TOOLED = ModelInfo("scripted-7b", 4096, supports_chat=True, supports_tools=True)


@asynccontextmanager
async def chatting(folder: Path, engine: ScriptedEngine, **options: object) -> AsyncIterator[tuple[Editor, str]]:
    """An editor on a workspace with one file, and a conversation."""
    (folder / "work").mkdir()
    (folder / "work" / "cart.py").write_text(CODE)
    async with editor_with(engine, folder, options, rootUri=(folder / "work").as_uri()) as editor:
        created = await editor.request("conversation/create", {})
        yield editor, created["result"]["conversationId"]


async def warm(editor: Editor, conversation: str, **draft: object) -> dict[str, Any]:
    return await editor.request("conversation/warm", {"conversationId": conversation, **draft})


async def ask(editor: Editor, conversation: str, text: str, **extra: object) -> dict[str, Any]:
    return await editor.request("conversation/turn", {"conversationId": conversation, "message": text, **extra})


def attached(folder: Path) -> list[dict[str, str]]:
    return [{"kind": "file", "uri": (folder / "work" / "cart.py").as_uri()}]


def messages(request: GenerateRequest) -> list[tuple[str, str]]:
    assert isinstance(request.prompt, ChatPrompt)
    return [(message.role, message.content) for message in request.prompt.messages]


def assert_begins(turn: GenerateRequest, warmed: GenerateRequest) -> None:
    """All the model was warmed with stands at the beginning of what it is asked, tools included."""
    *before, (_, warm_text) = messages(warmed)
    *same, (_, text) = messages(turn)
    assert same == before
    assert text.startswith(warm_text)
    assert isinstance(turn.prompt, ChatPrompt)
    assert isinstance(warmed.prompt, ChatPrompt)
    assert turn.prompt.tools == warmed.prompt.tools


@pytest.mark.parametrize("choice", ["gather", "model"])
async def test_a_turn_begins_with_what_was_warmed(tmp_path: Path, choice: str) -> None:
    engine = ScriptedEngine("Two times n.", model=TOOLED)
    async with chatting(tmp_path, engine, chat={"tools": choice}) as (editor, conversation):
        for number, question in enumerate(("What does it do?", "/explain And why?")):
            draft = {"attachments": attached(tmp_path)}
            assert (await warm(editor, conversation, **draft))["result"] is None
            await engine.wait_for(lambda engine, count=2 * number + 1: len(engine.requests) == count)
            await ask(editor, conversation, question, **draft)
            warmed, turn = engine.requests[-2:]
            assert (warmed.priority, warmed.sampling.max_tokens) == ("background", 1)
            assert CODE in messages(warmed)[-1][1]
            assert_begins(turn, warmed)


async def test_names_in_the_words_so_far_are_looked_up(tmp_path: Path) -> None:
    engine = ScriptedEngine("Two times n.")
    async with chatting(tmp_path, engine, chat={"tools": "gather"}) as (editor, conversation):
        await warm(editor, conversation, message="What does total_price")
        await engine.wait_for(lambda engine: len(engine.requests) == 1)
        await ask(editor, conversation, "What does total_price return?")
        warmed, turn = engine.requests
        assert "def total_price" in messages(warmed)[-1][1]
        assert_begins(turn, warmed)


async def test_a_turn_stops_the_warming_and_so_does_a_newer_draft(tmp_path: Path) -> None:
    engine = ScriptedEngine("Two times n.")
    async with chatting(tmp_path, engine) as (editor, conversation):
        engine.hold()
        await warm(editor, conversation)
        await engine.wait_for(lambda engine: len(engine.requests) == 1)
        await warm(editor, conversation, attachments=attached(tmp_path))
        await engine.wait_for(lambda engine: len(engine.aborted) == 1 and len(engine.requests) == 2)
        turn = editor.start("conversation/turn", {"conversationId": conversation, "message": "Why?"})
        await engine.wait_for(lambda engine: len(engine.aborted) == 2)
        engine.release()
        assert (await editor.wait(turn))["result"]["state"] == "complete"


async def test_the_same_draft_is_read_once(tmp_path: Path) -> None:
    engine = ScriptedEngine("Two times n.")
    async with chatting(tmp_path, engine) as (editor, conversation):
        await warm(editor, conversation, message="Why is")
        await engine.wait_for(lambda engine: len(engine.requests) == 1)
        warming = editor.session.chat._warming._task
        assert warming is not None
        await warming
        await warm(editor, conversation, message="Why is it")
        await ask(editor, conversation, "Why is it so?")
        assert [request.priority for request in engine.requests] == ["background", "chat"]


async def test_warming_can_be_switched_off_and_wrong_drafts_are_told(tmp_path: Path) -> None:
    engine = ScriptedEngine("Two times n.")
    async with chatting(tmp_path, engine, completion={"warm": False}) as (editor, conversation):
        assert (await warm(editor, conversation))["result"] is None
        assert "no conversation 'nope'" in (await warm(editor, "nope"))["error"]["message"]
        wrong = await warm(editor, conversation, attachments=[{"kind": "film"}])
        assert "'film' is not one of" in wrong["error"]["message"]
        await ask(editor, conversation, "Why?")
        assert [request.priority for request in engine.requests] == ["chat"]
