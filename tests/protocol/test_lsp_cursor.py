"""What the model reads before it is asked: places where the cursor rests, and short windows at cold ones."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from heron.host.engine.scripted import ScriptedEngine
from heron.wire import FimPrompt, GenerateRequest
from protocol.lsp_editor import URI, Editor, editor_with

LONG = "".join(f"value_{number} = compute_the_next(value_{number - 1}, {number})\n" for number in range(200))
LINE, COLUMN = 150, len("value_150 = compute_the_next(value_149, 150)")
CURSOR = {"textDocument": {"uri": URI}, "position": {"line": LINE, "character": COLUMN}}


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine(" + 1\n")


@pytest.fixture
async def editor(engine: ScriptedEngine, tmp_path: Path) -> AsyncIterator[Editor]:
    async with editor_with(engine, tmp_path, {"completion": {"ahead": False}}) as editor:
        yield editor


def prefix(request: GenerateRequest) -> str:
    assert isinstance(request.prompt, FimPrompt)
    return request.prompt.prefix


async def test_a_place_where_the_cursor_rests_is_read(editor: Editor, engine: ScriptedEngine) -> None:
    editor.open(LONG)
    editor.notify("heron/didChangeCursor", CURSOR)
    await engine.wait_for(lambda engine: len(engine.requests) == 1)
    read = engine.requests[0]
    assert (read.priority, read.sampling.max_tokens) == ("background", 1)
    assert prefix(read).endswith("compute_the_next(value_149, 150)")


async def test_a_cold_place_is_asked_with_a_short_window_and_read_in_full_afterwards(
    editor: Editor, engine: ScriptedEngine
) -> None:
    editor.open(LONG)
    assert await editor.complete(LINE, COLUMN)
    assert (await editor.request("heron/lastTimings"))["result"]["window"] == "short"
    await engine.wait_for(lambda engine: len(engine.requests) == 2)
    asked, read = engine.requests
    assert (asked.priority, read.priority) == ("completion", "background")
    assert prefix(read).endswith(prefix(asked))
    assert len(prefix(read)) > 2 * len(prefix(asked))


async def test_a_request_stops_the_reading(editor: Editor, engine: ScriptedEngine) -> None:
    engine.hold()
    editor.open(LONG)
    editor.notify("heron/didChangeCursor", CURSOR)
    await engine.wait_for(lambda engine: len(engine.requests) == 1)
    request = editor.ask(10, len("value_10 = compute_the_next(value_9, 10)"))
    await engine.wait_for(lambda engine: len(engine.aborted) == 1)
    engine.release()
    assert (await editor.wait(request))["result"]


async def test_code_actions_and_opening_a_small_document_tell_a_place(editor: Editor, engine: ScriptedEngine) -> None:
    small = "".join(LONG.splitlines(keepends=True)[:30])
    editor.open(small)
    await engine.wait_for(lambda engine: len(engine.requests) == 1)
    assert prefix(engine.requests[0]) == small
    uri = "file:///work/b.py"
    editor.open(LONG, uri=uri)
    place = {"line": 120, "character": 0}
    params = {"textDocument": {"uri": uri}, "range": {"start": place, "end": place}, "context": {"diagnostics": []}}
    await editor.request("textDocument/codeAction", params)
    await engine.wait_for(lambda engine: len(engine.requests) == 2)
    assert prefix(engine.requests[1]).endswith("compute_the_next(value_118, 119)\n")


async def test_nothing_is_read_where_that_is_turned_off(engine: ScriptedEngine, tmp_path: Path) -> None:
    async with editor_with(engine, tmp_path, {"completion": {"warm": False, "ahead": False}}) as editor:
        editor.open(LONG)
        editor.notify("heron/didChangeCursor", CURSOR)
        assert await editor.complete(LINE, COLUMN)
        assert (await editor.request("heron/lastTimings"))["result"]["window"] == "full"
        assert [request.priority for request in engine.requests] == ["completion"]


@pytest.mark.parametrize("params", [None, {}, {"textDocument": {"uri": "file:///no"}, "position": {}}, {"position": 3}])
async def test_a_bad_notification_is_ignored(editor: Editor, params: object) -> None:
    editor.open(LONG)
    editor.notify("heron/didChangeCursor", params)
    assert await editor.complete(LINE, COLUMN)


async def test_the_next_completion_is_made_while_one_is_shown(engine: ScriptedEngine, tmp_path: Path) -> None:
    async with editor_with(engine, tmp_path) as editor:
        editor.open("x = y\n")
        assert await editor.complete(0, 5) == " + 1"
        await engine.wait_for(lambda engine: len(engine.requests) == 2)
        assert engine.requests[1].priority == "background"
        assert prefix(engine.requests[1]) == "x = y + 1"
        editor.insert(2, 0, 5, " + 1")
        assert await editor.complete(0, 9)
        assert len([request for request in engine.requests if request.priority == "completion"]) == 1
        assert (await editor.request("heron/lastTimings"))["result"]["adopted"]


async def test_who_asks_gets_several_to_choose_from(tmp_path: Path) -> None:
    def answer(request: GenerateRequest) -> str:
        return f"value_{request.sampling.seed or 0}\n"

    async with editor_with(ScriptedEngine(answer), tmp_path) as editor:
        editor.open("x = \n")
        response = await editor.wait(editor.ask(0, 4, triggerKind=1))
        assert [item["insertText"] for item in response["result"]] == ["value_0", "value_1", "value_2", "value_3"]
