"""Other files in a completion's prompt, as the model gets them, and heron/context, which tells why."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from heron.editor.context import surroundings
from heron.editor.lsp import indexing
from heron.host.engine.scripted import ScriptedEngine
from heron.wire import FimPrompt
from protocol.lsp_editor import Editor, editor_with

TILL = "from prices import sum_prices\n\n\ndef pay(basket):\n    x = sum_prices(basket)\n    return \n"
PLACE = {"line": 5, "character": 11}


@pytest.fixture(autouse=True)
def _eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "IDLE_S", 0.0)
    monkeypatch.setattr(surroundings, "LIMIT_S", 10.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    work = tmp_path / "work"
    work.mkdir()
    (work / "prices.py").write_text("def sum_prices(prices: list[int]) -> int:\n    return sum(prices)\n")
    (work / "till.py").write_text("")
    return work.resolve()


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine("sum_prices(basket)\n")


@pytest.fixture
async def editor(engine: ScriptedEngine, folder: Path, tmp_path: Path) -> AsyncIterator[Editor]:
    options = {"completion": {"ahead": False, "warm": False}}
    folders = [{"uri": folder.as_uri(), "name": "work"}]
    async with editor_with(engine, tmp_path, options, workspaceFolders=folders) as editor:
        yield editor


async def explain(editor: Editor, uri: str, **changes: Any) -> dict[str, Any]:
    return await editor.request("heron/context", {"textDocument": {"uri": uri}, "position": PLACE} | changes)


async def test_snippets_scores_and_the_prompt(editor: Editor, folder: Path) -> None:
    uri = (folder / "till.py").as_uri()
    editor.open(TILL, uri)
    told = (await explain(editor, uri))["result"]
    (snippet,) = [one for one in told["snippets"] if one["source"] == "definitions"]
    assert (snippet["path"], snippet["lines"]) == ("prices.py", [0, 2])
    assert snippet["text"] == "def sum_prices(prices: list[int]) -> int"
    assert (snippet["ranks"]["definitions"], snippet["tokens"] > 0, snippet["score"] > 0) == (1, True, True)
    assert told["indexed"]
    assert told["prompt"]["prefix"] == TILL[:-1]
    assert told["prompt"]["suffix"].startswith("\n# prices.py:\n# def sum_prices(prices: list[int]) -> int\n")


async def test_the_model_is_asked_with_what_was_explained(editor: Editor, engine: ScriptedEngine, folder: Path) -> None:
    uri = (folder / "till.py").as_uri()
    editor.open(TILL, uri)
    prompt = (await explain(editor, uri))["result"]["prompt"]
    assert await editor.complete(5, 11, uri) == "sum_prices(basket)"
    assert engine.requests[0].prompt == FimPrompt(prompt["prefix"], prompt["suffix"])


async def test_nothing_of_other_files_where_none_is_allowed(editor: Editor, folder: Path) -> None:
    uri = (folder / "till.py").as_uri()
    editor.notify("workspace/didChangeConfiguration", {"settings": {"completion": {"context_tokens": 0}}})
    editor.open(TILL, uri)
    told = (await explain(editor, uri))["result"]
    assert (told["snippets"], told["prompt"]["suffix"]) == ([], "\n")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"textDocument": {"uri": "file:///never/opened.py"}}, "is not open"),
        ({"textDocument": {"uri": 3}}, "textDocument.uri must be a string"),
        ({"position": {"line": "x", "character": 0}}, "position.line must be a whole number"),
    ],
)
async def test_wrong_params_are_named(editor: Editor, folder: Path, changes: dict[str, Any], said: str) -> None:
    uri = (folder / "till.py").as_uri()
    editor.open(TILL, uri)
    error = (await explain(editor, uri, **changes))["error"]
    assert error["code"] == -32602
    assert said in error["message"]
