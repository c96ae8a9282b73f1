"""heron/model and heron/chat over LSP with a scripted model."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from heron.host.engine.scripted import Reply, ScriptedEngine
from heron.wire import ChatPrompt, ToolCall
from protocol.lsp_editor import Editor, editor_with

CALL = ToolCall("c1", "weather", '{"city": "Bonn"}')
TOOL = {"name": "weather", "description": "of a city", "parameters": {"type": "object", "properties": {}}}
ASKED: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello"}], "workDoneToken": "t"}


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine({"weather": Reply("", tool_calls=(CALL,)), "Hello": "Good day to you."})


@pytest.fixture
async def editor(engine: ScriptedEngine, tmp_path: Path) -> AsyncIterator[Editor]:
    async with editor_with(engine, tmp_path) as editor:
        yield editor


async def test_the_model_is_described(editor: Editor) -> None:
    model = (await editor.request("heron/model"))["result"]
    assert model == {"id": "scripted", "contextWindow": 4096, "supportsChat": True, "supportsTools": True}


async def test_an_answer_is_told_as_it_is_written(editor: Editor, engine: ScriptedEngine) -> None:
    result = (await editor.request("heron/chat", ASKED))["result"]
    assert result == {"text": "Good day to you.", "toolCalls": [], "finishReason": "stop"}
    reports = [params["value"] for params in editor.told("$/progress") if params["token"] == "t"]
    assert len(reports) > 1
    assert "".join(report["delta"] for report in reports) == "Good day to you."
    prompt = engine.requests[0].prompt
    assert isinstance(prompt, ChatPrompt)
    assert [message.content for message in prompt.messages] == ["Hello"]


async def test_calls_of_the_clients_tools_are_its_own_to_make(editor: Editor, engine: ScriptedEngine) -> None:
    asked = {"messages": [{"role": "user", "content": "the weather in Bonn"}], "tools": [TOOL]}
    result = (await editor.request("heron/chat", asked))["result"]
    assert [call["name"] for call in result["toolCalls"]] == ["weather"]
    assert result["finishReason"] == "tool_calls"
    prompt = engine.requests[0].prompt
    assert isinstance(prompt, ChatPrompt)
    assert [tool.name for tool in prompt.tools] == ["weather"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "robot", "content": ""}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"maxTokens": 0}, "maxTokens"),
        ({"tools": [{"description": "nameless"}]}, "tools[0].name"),
    ],
)
async def test_bad_params_are_named(editor: Editor, changes: dict[str, Any], said: str) -> None:
    error = (await editor.request("heron/chat", ASKED | changes))["error"]
    assert error["code"] == -32602
    assert said in error["message"].replace(": ", "")
