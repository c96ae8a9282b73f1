"""Inline completion over LSP, from the editor's message to a scripted model behind real HTTP and back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from heron.errors import PromptTooLong
from heron.host.engine.scripted import ScriptedEngine
from heron.wire import FimPrompt
from protocol.lsp_editor import URI, Editor, call, editor_with, insertion, notification, question

INSIDE = "def add(a, b):\n    return \n"


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine("a + b\n")


@pytest.fixture
async def editor(engine: ScriptedEngine, tmp_path: Path) -> AsyncIterator[Editor]:
    async with editor_with(engine, tmp_path, {"completion": {"ahead": False}}) as editor:
        yield editor


async def test_an_item_is_plain_text_at_the_cursor(editor: Editor) -> None:
    editor.open(INSIDE)
    response = await editor.wait(editor.ask(1, 11))
    place = {"line": 1, "character": 11}
    (item,) = response["result"]
    accepted = item.pop("command")
    assert item == {"insertText": "a + b", "range": {"start": place, "end": place}}
    assert accepted["command"] == "heron.completionAccepted"


async def test_the_model_gets_what_is_around_the_cursor(editor: Editor, engine: ScriptedEngine) -> None:
    editor.open(INSIDE)
    await editor.complete(1, 11)
    assert engine.requests[0].prompt == FimPrompt("def add(a, b):\n    return ", "\n")


async def test_timings_tell_stages_and_tokens(editor: Editor) -> None:
    editor.open(INSIDE)
    assert (await editor.request("heron/lastTimings"))["result"] is None
    await editor.complete(1, 11)
    timings = (await editor.request("heron/lastTimings"))["result"]
    assert (timings["version"], timings["outcome"], timings["adopted"]) == (1, "shown", False)
    assert list(timings["stagesMs"]) == ["context", "wait", "model", "finish"]
    assert sum(timings["stagesMs"].values()) == pytest.approx(timings["totalMs"], abs=0.1)
    assert 0 < timings["firstTokenMs"] <= timings["totalMs"]


async def test_no_completion_inside_a_word(editor: Editor, engine: ScriptedEngine) -> None:
    editor.open(INSIDE)
    assert await editor.complete(0, 5) is None
    assert engine.requests == []
    assert await editor.outcome() == "silent"


async def test_typing_what_is_offered_asks_no_model(editor: Editor, engine: ScriptedEngine) -> None:
    editor.open(INSIDE)
    assert await editor.complete(1, 11) == "a + b"
    editor.insert(2, 1, 11, "a +")
    assert await editor.complete(1, 14) == " b"
    assert await editor.outcome() == "typed_through"
    assert len(engine.requests) == 1


async def test_deleting_back_serves_the_older_offer(editor: Editor, engine: ScriptedEngine) -> None:
    editor.open(INSIDE)
    await editor.complete(1, 11)
    editor.insert(2, 1, 11, "xy")
    await editor.complete(1, 13)
    deleted = {"range": {"start": {"line": 1, "character": 11}, "end": {"line": 1, "character": 13}}, "text": ""}
    change = {"textDocument": {"uri": URI, "version": 3}, "contentChanges": [deleted]}
    editor.notify("textDocument/didChange", change)
    assert await editor.complete(1, 11) == "a + b"
    assert len(engine.requests) == 2


async def test_other_text_asks_the_model_again(editor: Editor, engine: ScriptedEngine) -> None:
    editor.open(INSIDE)
    await editor.complete(1, 11)
    editor.insert(2, 1, 11, "sum(")
    await editor.complete(1, 15)
    assert len(engine.requests) == 2


async def test_a_cancelled_request_is_answered_and_its_stream_closed(editor: Editor, engine: ScriptedEngine) -> None:
    engine.hold()
    editor.open(INSIDE)
    request = editor.ask(1, 11)
    await engine.wait_for(lambda engine: len(engine.requests) == 1)
    editor.notify("$/cancelRequest", {"id": request})
    assert (await editor.wait(request))["error"]["code"] == -32800
    await engine.wait_for(lambda engine: len(engine.aborted) == 1)
    assert await editor.outcome() == "cancelled"


async def test_a_cancel_in_the_same_write_is_answered(editor: Editor) -> None:
    editor.open(INSIDE)
    request = call("x", "textDocument/inlineCompletion", question(1, 11))
    editor.send(request, notification("$/cancelRequest", {"id": "x"}))
    assert (await editor.wait("x"))["error"]["code"] == -32800


async def test_a_newer_request_supersedes_the_older(editor: Editor, engine: ScriptedEngine) -> None:
    engine.hold()
    editor.open(INSIDE)
    older = editor.ask(1, 11)
    await engine.wait_for(lambda engine: len(engine.requests) == 1)
    newer = editor.ask(1, 10)
    assert (await editor.wait(older))["error"]["code"] == -32800
    await engine.wait_for(lambda engine: len(engine.aborted) == 1)
    engine.release()
    assert (await editor.wait(newer))["result"]


async def test_other_documents_are_not_superseded(editor: Editor, engine: ScriptedEngine) -> None:
    engine.hold()
    editor.open(INSIDE)
    editor.open(INSIDE, uri="file:///work/b.py")
    requests = [editor.ask(1, 11), editor.ask(1, 11, uri="file:///work/b.py")]
    await engine.wait_for(lambda engine: len(engine.requests) == 2)
    engine.release()
    for request in requests:
        assert (await editor.wait(request))["result"]


async def test_a_newer_request_goes_on_with_the_stream_if_its_text_was_typed(
    editor: Editor, engine: ScriptedEngine
) -> None:
    engine.hold()
    editor.open(INSIDE)
    older = editor.ask(1, 11)
    await engine.wait_for(lambda engine: len(engine.requests) == 1)
    editor.insert(2, 1, 11, "a +")
    newer = editor.ask(1, 14)
    assert (await editor.wait(older))["error"]["code"] == -32800
    engine.release()
    assert (await editor.wait(newer))["result"][0]["insertText"] == " b"
    assert len(engine.requests) == 1
    timings = (await editor.request("heron/lastTimings"))["result"]
    assert (timings["outcome"], timings["adopted"]) == ("shown", True)


async def test_a_stream_outlives_the_cancel_an_editor_sends_before_it_asks_anew(
    editor: Editor, engine: ScriptedEngine
) -> None:
    engine.hold()
    editor.open(INSIDE)
    older = editor.ask(1, 11)
    await engine.wait_for(lambda engine: len(engine.requests) == 1)
    editor.notify("$/cancelRequest", {"id": older})
    editor.insert(2, 1, 11, "a")
    newer = editor.ask(1, 12)
    assert (await editor.wait(older))["error"]["code"] == -32800
    engine.release()
    assert (await editor.wait(newer))["result"][0]["insertText"] == " + b"
    assert len(engine.requests) == 1


async def test_a_stream_that_leaves_what_was_typed_is_closed(tmp_path: Path) -> None:
    answers = iter(["alpha\n", "eta\n"])
    engine = ScriptedEngine(lambda request: next(answers))
    engine.hold()
    async with editor_with(engine, tmp_path) as editor:
        editor.open(INSIDE)
        older = editor.ask(1, 11)
        await engine.wait_for(lambda engine: len(engine.requests) == 1)
        editor.insert(2, 1, 11, "b")
        newer = editor.ask(1, 12)
        await editor.wait(older)
        engine.release()
        assert (await editor.wait(newer))["result"][0]["insertText"] == "eta"
        assert await editor.outcome() == "shown"


async def test_a_request_sees_the_document_as_it_was_when_sent(editor: Editor, engine: ScriptedEngine) -> None:
    """The change that follows in the same write is not in the prompt, and makes the answer stale."""
    editor.open(INSIDE)
    change = notification("textDocument/didChange", insertion(2, 0, 0, "# changed\n"))
    editor.send(call("x", "textDocument/inlineCompletion", question(1, 11)), change)
    assert (await editor.wait("x"))["result"] is None
    assert await editor.outcome() == "stale"
    assert engine.requests[0].prompt == FimPrompt("def add(a, b):\n    return ", "\n")


async def test_a_request_sees_the_change_before_it_in_the_same_write(editor: Editor, engine: ScriptedEngine) -> None:
    editor.open(INSIDE)
    change = notification("textDocument/didChange", insertion(2, 0, 0, "# changed\n"))
    editor.send(change, call("x", "textDocument/inlineCompletion", question(2, 11)))
    assert (await editor.wait("x"))["result"]
    assert engine.requests[0].prompt == FimPrompt("# changed\ndef add(a, b):\n    return ", "\n")


async def test_many_edits_with_requests_in_between_end_with_the_right_text(editor: Editor) -> None:
    text = "a = 1\r\nb = '😀'\r\n"
    editor.open(text)
    requests = []
    for version in range(2, 502):
        line, character, new = version % 3, version % 7, "xé\n" if version % 50 == 0 else "😀"
        editor.insert(version, line, character, new)
        text = insert_naively(text, line, character, new)
        if version % 10 == 0:
            requests.append(editor.ask(version % 3, 5))
    for request in requests:
        response = await editor.wait(request)
        assert "result" in response or response["error"]["code"] == -32800
    document = editor.session.documents.get(URI)
    assert document is not None
    assert (document.version, document.text) == (501, text)


def insert_naively(text: str, line: int, character: int, new: str) -> str:
    """Insert at a UTF-16 position, unit by unit; one within a pair is before it, one past the line at its end."""
    lines = text.split("\n")
    content = lines[line].rstrip("\r")
    units = [unit for letter in content for unit in ([letter] if ord(letter) <= 0xFFFF else [letter, ""])]
    column = len("".join(units[:character]))
    if units[character : character + 1] == [""]:
        column -= 1
    lines[line] = lines[line][:column] + new + lines[line][column:]
    return "\n".join(lines)


@pytest.mark.parametrize(("line_end", "character"), [("\n", 12), ("\r\n", 12), ("\r", 12)])
async def test_positions_with_emoji_and_any_line_end(editor: Editor, line_end: str, character: int) -> None:
    editor.open(line_end.join(["a = '😀'", "bé = '👩🏽' + ", ""]))
    response = await editor.wait(editor.ask(1, character + 1))
    place = {"line": 1, "character": character + 1}
    assert response["result"][0]["range"] == {"start": place, "end": place}


async def test_a_selected_popup_item_is_extended(editor: Editor, engine: ScriptedEngine) -> None:
    editor.open("import os\nos.pat\n")
    replaced = {"start": {"line": 1, "character": 3}, "end": {"line": 1, "character": 6}}
    selected = {"range": replaced, "text": "path.join("}
    response = await editor.wait(editor.ask(1, 6, selectedCompletionInfo=selected))
    (item,) = response["result"]
    assert item["range"] == replaced
    assert item["insertText"].startswith("path.join(a + b")
    assert engine.requests[0].prompt == FimPrompt("import os\nos.path.join(", "\n")


async def test_an_error_of_the_model_offers_nothing_and_no_popup(tmp_path: Path) -> None:
    engine = ScriptedEngine(lambda request: PromptTooLong("too long"))
    async with editor_with(engine, tmp_path) as editor:
        editor.open(INSIDE)
        assert await editor.complete(1, 11) is None
        assert await editor.outcome() == "failed"
        assert editor.told("window/showMessage") == []


async def test_a_slow_model_is_given_up(tmp_path: Path, engine: ScriptedEngine) -> None:
    engine.hold()
    async with editor_with(engine, tmp_path, {"completion": {"timeout_ms": 50}}) as editor:
        editor.open(INSIDE)
        assert await editor.complete(1, 11) is None
        assert await editor.outcome() == "failed"
        await engine.wait_for(lambda engine: len(engine.aborted) == 1)


async def test_disabled_completions(tmp_path: Path, engine: ScriptedEngine) -> None:
    async with editor_with(engine, tmp_path) as editor:
        editor.open(INSIDE)
        editor.notify("workspace/didChangeConfiguration", {"settings": {"heron": {"completion": {"enabled": False}}}})
        assert await editor.complete(1, 11) is None
        editor.notify("workspace/didChangeConfiguration", {"settings": {"completion": {"enabled": True}}})
        assert await editor.complete(1, 11) == "a + b"


@pytest.mark.parametrize("language", ["klingon", ""])
async def test_an_unknown_language_is_completed(editor: Editor, language: str) -> None:
    editor.open("one two ", uri="file:///x.klingon", language=language)
    assert await editor.complete(0, 8, uri="file:///x.klingon") == "a + b"


async def test_closing_and_opening_again(editor: Editor, engine: ScriptedEngine) -> None:
    editor.open(INSIDE)
    await editor.complete(1, 11)
    editor.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
    assert await editor.complete(1, 11) is None
    editor.open(INSIDE)
    assert await editor.complete(1, 11) == "a + b"
    assert len(engine.requests) == 2


async def test_closing_ends_the_stream_and_answers(editor: Editor, engine: ScriptedEngine) -> None:
    engine.hold()
    editor.open(INSIDE)
    request = editor.ask(1, 11)
    await engine.wait_for(lambda engine: len(engine.requests) == 1)
    editor.notify("textDocument/didClose", {"textDocument": {"uri": URI}})
    assert (await editor.wait(request))["result"] is None
    await engine.wait_for(lambda engine: len(engine.aborted) == 1)


async def test_copilots_events_are_taken_silently(editor: Editor) -> None:
    editor.notify("textDocument/didShowCompletion", {"item": {"insertText": "x"}})
    editor.notify("textDocument/didPartiallyAcceptCompletion", {"item": {"insertText": "x"}, "acceptedLength": 1})
    await editor.request("heron/lastTimings")
    assert editor.told("window/showMessage") == []
