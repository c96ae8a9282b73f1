"""textDocument/completion: the popup of clients without inline completion."""

from pathlib import Path
from typing import Any

import pytest

from heron.host.engine.scripted import Reply, ScriptedEngine
from protocol.lsp_editor import CAPABILITIES, URI, Editor, connect_nowhere, editor_of, editor_with

INLINE = {**CAPABILITIES, "textDocument": {"inlineCompletion": {}}}
SNIPPET, FUNCTION, VARIABLE, TEXT = 15, 3, 6, 1
PATIENT = {"completion": {"popup_ms": 5000}}


async def popup(editor: Editor, line: int, character: int) -> dict[str, Any]:
    params = {"textDocument": {"uri": URI}, "position": {"line": line, "character": character}}
    return dict((await editor.request("textDocument/completion", params))["result"])


@pytest.mark.parametrize(
    ("capabilities", "choice", "offered"),
    [
        (CAPABILITIES, "auto", True),
        (INLINE, "auto", False),
        (INLINE, "on", True),
        (CAPABILITIES, "off", False),
    ],
)
async def test_it_is_offered_where_nothing_is_shown_inline(
    capabilities: dict[str, Any], choice: str, offered: bool
) -> None:
    async with editor_of(connect_nowhere) as editor:
        options = {"completion": {"popup": choice}}
        told = (await editor.initialize(options, capabilities=capabilities))["result"]["capabilities"]
        assert ("completionProvider" in told) is offered
        assert not offered or told["completionProvider"]["resolveProvider"] is True
        assert "inlineCompletionProvider" in told


async def test_an_item_replaces_the_word_and_begins_with_it(tmp_path: Path) -> None:
    async with editor_with(ScriptedEngine("nt(total)"), tmp_path, PATIENT) as editor:
        editor.open("total = 1\né = pri\n")
        answer = await popup(editor, 1, 7)
        (item,) = answer["items"]
        assert answer["isIncomplete"] is True
        assert item["textEdit"] == {
            "newText": "print(total)",
            "range": {"start": {"line": 1, "character": 4}, "end": {"line": 1, "character": 7}},
        }
        assert (item["label"], item["filterText"], item["kind"]) == ("print(total)", "print(total)", FUNCTION)
        assert (item["insertTextFormat"], item["insertTextMode"]) == (1, 1)
        assert item["labelDetails"] == {"description": "Heron"}
        resolved = (await editor.request("completionItem/resolve", item))["result"]
        assert resolved["documentation"] == {"kind": "markdown", "value": "```python\nprint(total)\n```"}


@pytest.mark.parametrize(
    ("before", "text", "kind", "label"),
    [
        ("x = ", "total", VARIABLE, "total"),
        ("x = ", "1 + 2", TEXT, "1 + 2"),
        ("def f(a):", "\n    b = a\n    return b", SNIPPET, "b = a"),
    ],
)
async def test_kinds_and_labels(tmp_path: Path, before: str, text: str, kind: int, label: str) -> None:
    async with editor_with(ScriptedEngine(text), tmp_path, PATIENT) as editor:
        editor.open(before + "\n")
        (item,) = (await popup(editor, 0, len(before)))["items"]
        assert (item["kind"], item["label"]) == (kind, label)
        assert item["textEdit"]["newText"].startswith(text.rstrip()[:6])


async def test_a_late_completion_is_there_at_the_next_key(tmp_path: Path) -> None:
    engine = ScriptedEngine({"": Reply("nt(total)")})
    engine.hold()
    async with editor_with(engine, tmp_path, {"completion": {"popup_ms": 10}}) as editor:
        editor.open("pri\n")
        assert await popup(editor, 0, 3) == {"isIncomplete": True, "items": []}
        running = editor.session.popup
        assert running is not None
        engine.release()
        assert await running == ("nt(total)",)
        editor.insert(2, 0, 3, "n")
        (item,) = (await popup(editor, 0, 4))["items"]
        assert item["textEdit"]["newText"] == "print(total)"
        assert await editor.outcome() == "typed_through"


async def test_without_a_model_the_popup_is_not_kept_waiting() -> None:
    async with editor_of(connect_nowhere) as editor:
        await editor.initialize({"completion": {"popup_ms": 20}})
        editor.open("x = \n")
        assert (await popup(editor, 0, 4))["items"] == []


async def test_an_unknown_document_and_a_foreign_item_do_no_harm(tmp_path: Path) -> None:
    async with editor_with(ScriptedEngine("x"), tmp_path) as editor:
        assert (await popup(editor, 0, 0)) == {"isIncomplete": False, "items": []}
        item = {"label": "theirs", "data": 7}
        assert (await editor.request("completionItem/resolve", item))["result"] == item


async def test_a_cancelled_request_ends_what_it_began(tmp_path: Path) -> None:
    engine = ScriptedEngine("abc")
    engine.hold()
    async with editor_with(engine, tmp_path, PATIENT) as editor:
        editor.open("x = \n")
        params = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 4}}
        request = editor.start("textDocument/completion", params)
        await engine.wait_for(lambda one: bool(one.requests))
        editor.notify("$/cancelRequest", {"id": request})
        assert (await editor.wait(request))["error"]["code"] == -32800
        await engine.wait_for(lambda one: bool(one.aborted))


async def begin_popup(editor: Editor, engine: ScriptedEngine) -> int:
    """Ask for the popup behind `pri`; the request's id, once the model is asked."""
    editor.open("pri\n")
    params = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 3}}
    request = editor.start("textDocument/completion", params)
    await engine.wait_for(lambda one: len(one.requests) == 1)
    return request


async def test_the_popup_and_the_inline_request_of_one_key_share_a_stream(tmp_path: Path) -> None:
    engine = ScriptedEngine("nt(total)")
    engine.hold()
    async with editor_with(engine, tmp_path, PATIENT) as editor:
        in_popup = await begin_popup(editor, engine)
        inline = editor.ask(0, 3)
        engine.release()
        (item,) = (await editor.wait(in_popup))["result"]["items"]
        assert item["textEdit"]["newText"] == "print(total)"
        assert (await editor.wait(inline))["result"][0]["insertText"] == "nt(total)"
        assert len(engine.requests) == 1


async def test_what_is_selected_in_the_popup_is_asked_for_beside_it(tmp_path: Path) -> None:
    engine = ScriptedEngine("nt(total)")
    engine.hold()
    async with editor_with(engine, tmp_path, PATIENT) as editor:
        in_popup = await begin_popup(editor, engine)
        inline = editor.ask(0, 3, selectedCompletionInfo=selected("private"))
        engine.release()
        assert (await editor.wait(in_popup))["result"]["items"][0]["textEdit"]["newText"] == "print(total)"
        assert (await editor.wait(inline))["result"][0]["insertText"] == "privatent(total)"


def selected(text: str) -> dict[str, Any]:
    """An item of the popup that would take the place of the word `pri`."""
    return {"text": text, "range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 3}}}
