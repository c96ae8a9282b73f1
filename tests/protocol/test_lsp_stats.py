"""What editors tell of completions is kept as numbers, and shown by `heron stats`."""

import json
from pathlib import Path
from typing import Any

import pytest

from heron.cli import main
from heron.editor.stats.store import NAME, Record, open_store
from heron.host.engine.scripted import ScriptedEngine
from heron.settings import home_folder
from protocol.lsp_editor import URI, Editor, editor_with

TEXT = "print('grüße', x)"
SHOWN = "textDocument/didShowCompletion"
PARTLY = "textDocument/didPartiallyAcceptCompletion"


def records() -> list[Record]:
    store = open_store(home_folder() / NAME)
    try:
        return store.read()
    finally:
        store.close()


async def offered(editor: Editor) -> dict[str, Any]:
    """The item offered in an empty line of a Python document."""
    editor.open("x = 1\n\n")
    (item,) = (await editor.wait(editor.ask(1, 0)))["result"]
    assert item["insertText"] == TEXT
    return dict(item)


def close(editor: Editor) -> None:
    editor.notify("textDocument/didClose", {"textDocument": {"uri": URI}})


async def test_a_shown_completion_is_a_row_of_numbers(tmp_path: Path) -> None:
    async with editor_with(ScriptedEngine(TEXT), tmp_path) as editor:
        item = await offered(editor)
        editor.notify(SHOWN, {"item": {"insertText": item["insertText"]}})
        close(editor)
        await editor.request("heron/lastTimings")
    (record,) = records()
    assert (record.language, record.surface, record.chars, record.outcome) == (
        "python",
        "inline",
        len(TEXT),
        "rejected",
    )
    assert record.latency_ms > 0
    assert b"print" not in (home_folder() / NAME).read_bytes()


async def test_one_that_was_sent_away_is_offered_again_only_to_who_asks(tmp_path: Path) -> None:
    async with editor_with(ScriptedEngine(TEXT), tmp_path) as editor:
        await offered(editor)
        editor.notify("heron/didDismissCompletion", {"textDocument": {"uri": URI}})
        editor.notify("heron/didDismissCompletion", {"textDocument": {"uri": "file:///never-opened.py"}})
        assert (await editor.wait(editor.ask(1, 0)))["result"] is None
        (item,) = (await editor.wait(editor.ask(1, 0, triggerKind=1)))["result"]
        assert item["insertText"] == TEXT


async def test_an_accepted_one_by_its_command(tmp_path: Path) -> None:
    async with editor_with(ScriptedEngine(TEXT), tmp_path) as editor:
        item = await offered(editor)
        editor.insert(2, 1, 0, TEXT)
        command = {name: item["command"][name] for name in ("command", "arguments")}
        assert (await editor.request("workspace/executeCommand", command))["result"] is None
        editor.insert(3, 0, 0, "# first\n")
        editor.insert(4, 2, 3, "new")
        close(editor)
        await editor.request("heron/lastTimings")
    assert [(one.outcome, one.accepted_chars, one.kept_chars) for one in records()] == [
        ("accepted", len(TEXT), len(TEXT))
    ]


async def test_pieces_are_counted_in_the_clients_units(tmp_path: Path) -> None:
    async with editor_with(ScriptedEngine("x = '😀' + y"), tmp_path) as editor:
        editor.open("\n")
        (item,) = (await editor.wait(editor.ask(0, 0)))["result"]
        editor.notify(PARTLY, {"item": item, "acceptedLength": 7})
        await editor.request("heron/lastTimings")
        editor.notify(PARTLY, {"item": item, "acceptedLength": len(item["insertText"]) + 1})
        await editor.request("heron/lastTimings")
        assert [(one.outcome, one.accepted_chars) for one in records()] == [("accepted", len(item["insertText"]))]
    partly = "x = '😀"
    assert len(partly.encode("utf-16-le")) // 2 == 7


@pytest.mark.parametrize(
    "params", [None, 7, {}, {"item": 1}, {"item": {"insertText": TEXT}, "acceptedLength": "x"}, {"item": {}}]
)
async def test_other_params_are_ignored(tmp_path: Path, params: object) -> None:
    async with editor_with(ScriptedEngine(TEXT), tmp_path) as editor:
        await offered(editor)
        editor.notify(PARTLY, params)
        answer = await editor.request(
            "workspace/executeCommand", {"command": "heron.completionAccepted", "arguments": [params]}
        )
        assert answer["result"] is None
    assert records() == []


async def test_it_can_be_switched_off(tmp_path: Path) -> None:
    async with editor_with(ScriptedEngine(TEXT), tmp_path, {"stats": {"enabled": False}}) as editor:
        item = await offered(editor)
        assert "command" not in item
        editor.notify(SHOWN, {"item": item})
        editor.notify(PARTLY, {"item": item, "acceptedLength": 4})
        await editor.request("heron/lastTimings")
    assert not (home_folder() / NAME).exists()


async def test_a_damaged_file_stops_nobody(tmp_path: Path) -> None:
    home_folder().mkdir(parents=True, exist_ok=True)
    (home_folder() / NAME).write_bytes(b"no database" * 500)
    async with editor_with(ScriptedEngine(TEXT), tmp_path) as editor:
        editor.notify(SHOWN, {"item": await offered(editor)})
        await editor.request("heron/lastTimings")
    assert len(records()) == 1


def test_heron_stats_prints_a_table_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stats"]) == 0
    assert "No completion was shown in the last 30 days." in capsys.readouterr().out
    assert not (home_folder() / NAME).exists()
    store = open_store(home_folder() / NAME)
    store.settle(store.add(Record("python", "inline", 10, 20.0)), "accepted", 10)
    store.add(Record("go", "popup", 4, 40.0))
    store.close()
    assert main(["stats"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:3] == ["language", "shown", "accepted"]
    assert [line.split()[0] for line in lines[1:4]] == ["go", "python", "all"]
    assert main(["stats", "--json", "--days", "7"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["languages"][-1]["shown"] == 2
    assert told["languages"][-1]["acceptance"] == 0.5


@pytest.mark.parametrize("days", ["0", "x", "-1", "99999"])
def test_days_are_checked(days: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["stats", "--days", days])
    assert "number of days (1 to 3650)" in capsys.readouterr().err
