"""Models that choose badly: repeated calls, silence, and a small model that is made to search before it answers."""

from pathlib import Path
from typing import Any

import pytest

from protocol.test_lsp_chat import ask, create, reports
from protocol.test_lsp_chat_tools import asked, calls, model_that, results, says, states

SMALL = "small-1.5b"
CHOOSING = {"chat": {"tools": "model"}}


def offered(body: dict[str, Any]) -> set[str]:
    return {tool["function"]["name"] for tool in body.get("tools", [])}


async def test_a_repeated_call_is_not_made_again_and_then_tools_are_gone(tmp_path: Path) -> None:
    again = calls(("list_directory", {"path": "."}))
    async with model_that(tmp_path, calls(("list_directory", {})), again, again, again, says("Empty.")) as (
        editor,
        server,
    ):
        result = (await ask(editor, await create(editor), "What is there?"))["result"]
        assert result["answer"] == "Empty."
        ended = [state for _, state in states(editor) if state != "running"]
        assert ended == ["ok", "ok", "refused", "refused"]
        assert "result is above" in results(server)[-1]
        assert [bool(offered(body)) for body in asked(server)] == [True, True, True, True, False]


async def test_an_identical_call_is_known_however_it_is_written(tmp_path: Path) -> None:
    one = calls(("read_file", {"path": "a.py", "start_line": 1}))
    other = calls(("read_file", {"start_line": 1, "path": "a.py"}))
    async with model_that(tmp_path, one, other, says("x")) as (editor, _):
        (tmp_path / "work" / "a.py").write_text("x = 1\n")
        await ask(editor, await create(editor), "What is x?")
        assert states(editor)[-1] == ("read_file", "refused")


async def test_no_more_than_eight_calls_are_made_at_once(tmp_path: Path) -> None:
    many = calls(*(("read_file", {"path": "a.py", "start_line": number}) for number in range(1, 12)))
    async with model_that(tmp_path, many, says("x")) as (editor, server):
        (tmp_path / "work" / "a.py").write_text("x = 1\n" * 20)
        await ask(editor, await create(editor), "What is x?")
        assert [("At most 8" in result) for result in results(server)] == [False] * 8 + [True] * 3


async def test_silence_after_results_is_answered_by_asking_again(tmp_path: Path) -> None:
    async with model_that(tmp_path, calls(("list_directory", {})), says(""), says("Empty.")) as (editor, server):
        assert (await ask(editor, await create(editor), "What is there?"))["result"]["answer"] == "Empty."
        last = asked(server)[-1]["messages"][-1]
        assert last == {"role": "user", "content": "Answer the question from these results."}


async def test_a_small_model_is_made_to_search_and_answers_without_tools(tmp_path: Path) -> None:
    steps = [calls(("grep", {"pattern": "total"})), says("In cart.py:1.")]
    async with model_that(tmp_path, *steps, options=CHOOSING, model=SMALL) as (editor, server):
        (tmp_path / "work" / "cart.py").write_text("total = 1\n")
        result = (await ask(editor, await create(editor), "Where is total?"))["result"]
        assert (result["answer"], result["references"][0]["path"]) == ("In cart.py:1.", "cart.py")
        search, answer = asked(server)
        assert search["tool_choice"] == "required"
        assert offered(search) == {"symbol_search", "grep", "find_references", "list_directory"}
        assert not offered(answer)
        assert "cart.py:1: total = 1" in answer["messages"][-1]["content"]
        assert answer["messages"][-1]["content"].endswith("Where is total?")


async def test_a_small_model_that_saw_paths_may_read_them(tmp_path: Path) -> None:
    steps = [calls(("list_directory", {})), calls(("read_file", {"path": "a.py"})), says("1.")]
    async with model_that(tmp_path, *steps, options=CHOOSING, model=SMALL) as (editor, server):
        (tmp_path / "work" / "a.py").write_text("x = 1\n")
        await ask(editor, await create(editor), "What is in the modules?")
        assert "read_file" in offered(asked(server)[1])
        assert "x = 1" in asked(server)[2]["messages"][-1]["content"]


@pytest.mark.parametrize("choice", [calls(("grep", {"pattern": "nothing"})), says("no call at all")])
async def test_what_a_small_model_does_not_find_heron_looks_up(tmp_path: Path, choice: dict[str, Any]) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "cart.py").write_text("def total_of(cart):\n    return 1\n")
    async with model_that(tmp_path, choice, choice, says("It adds."), options=CHOOSING, model=SMALL) as (
        editor,
        server,
    ):
        result = (await ask(editor, await create(editor), "What does `total_of` do?"))["result"]
        assert [place["path"] for place in result["references"]] == ["cart.py"]
        assert "return 1" in asked(server)[-1]["messages"][-1]["content"]


async def test_a_greeting_makes_nobody_search(tmp_path: Path) -> None:
    async with model_that(tmp_path, says("Yes."), options=CHOOSING, model=SMALL) as (editor, server):
        assert (await ask(editor, await create(editor), "Can you help?"))["result"]["answer"] == "Yes."
        assert len(asked(server)) == 1
        assert not [value for value in reports(editor) if "tool" in value]
