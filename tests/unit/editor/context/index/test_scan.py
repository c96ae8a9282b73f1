"""The scan: what it finds changed, its own processes, and files that end a parser."""

import json
import os
import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from heron.editor.context.index import parallel, store
from heron.editor.context.index.index import Index
from heron.editor.context.index.scan import carry_out, plan_scan, read_here
from heron.editor.context.index.schema import open_database
from heron.editor.context.index.symbol import Progress
from heron.editor.workspace.folders import Workspace
from unit.editor.context.conftest import FILES, scan_here


def test_only_what_changed_is_read_again(index: Index) -> None:
    folder = index.workspace.folders[0]
    connection = open_database(index.path)
    plan = plan_scan(connection, index.workspace)
    assert (plan.changed, plan.gone, plan.unchanged) == ((), (), len(FILES) - 2)
    assert plan.skipped == {"empty": 1, "private": 1}
    (folder / "shop" / "stock.py").unlink()
    (folder / "new.py").write_text("def brand_new(): pass\n")
    os.utime(folder / "notes.md", (1, 1))
    plan = plan_scan(connection, index.workspace)
    assert sorted(Path(found.path).name for found in plan.changed) == ["new.py", "notes.md"]
    assert [Path(path).name for path in plan.gone] == ["stock.py"]
    connection.close()
    scan_here(index)
    assert index.find_symbols("brand_new")
    assert not index.symbols_of(folder / "shop" / "stock.py")


def test_files_without_facts_are_not_read_twice(index: Index) -> None:
    folder = index.workspace.folders[0]
    (folder / "a.dat2").write_bytes(b"a\0b")
    (folder / "made.py").write_text("# @generated\ndef made(): pass\n")
    scan_here(index)
    connection = open_database(index.path)
    assert plan_scan(connection, index.workspace).changed == ()
    rows = dict(connection.execute("SELECT path, skipped FROM files WHERE skipped != ''"))
    assert {Path(path).name: why for path, why in rows.items()} == {"a.dat2": "binary", "made.py": "generated"}
    connection.close()
    assert not index.find_symbols("made")


def test_a_scan_in_its_own_process(workspace: Workspace, tmp_path: Path) -> None:
    index = Index.open(tmp_path / "cache", workspace)
    seen: list[Progress] = []
    assert index.scan(seen.append)
    assert (seen[0].done, seen[-1].done, seen[-1].total) == (0, len(FILES) - 2, len(FILES) - 2)
    assert index.is_complete
    assert index.find_symbols("Basket")
    assert index.scan(seen.append)
    assert seen[-1] == Progress(0, 0)
    index.close()
    assert not index.scan(seen.append)


def test_several_processes_read_the_same_as_one(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "BATCH_BYTES", 200)
    other = open_database(tmp_path / "other.sqlite")
    read = partial(parallel.read_in_parallel, 2)
    reports: list[Progress] = []
    carry_out(other, index.workspace, plan_scan(other, index.workspace), read, reports.append)
    one = open_database(index.path)
    query = "SELECT name, kind, start_line, signature, container, doc FROM symbols ORDER BY 1, 2, 3, 4"
    assert other.execute(query).fetchall() == one.execute(query).fetchall()
    assert store.is_complete(other)
    one.close()
    other.close()


def test_a_file_that_ends_the_parser_is_noted(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "fragile.py"
    script.write_text(
        "import os, pickle, sys\n"
        "from heron.editor.context.index import parse_process, scan\n"
        "def read(workspace, files):\n"
        "    for item in scan.read_here(workspace, files):\n"
        "        if item[0].path.endswith('stock.py'): os._exit(11)\n"
        "        yield item\n"
        "parse_process.read_here = read\n"
        "parse_process.serve(sys.stdin.buffer, sys.stdout.buffer)\n"
    )
    monkeypatch.setattr(parallel, "_COMMAND", (sys.executable, str(script)))
    connection = open_database(tmp_path / "index.sqlite")
    plan = plan_scan(connection, workspace)
    found = dict(parallel.read_in_parallel(1, workspace, list(plan.changed)))
    assert len(found) == len(plan.changed)
    failed = [Path(one.path).name for one, result in found.items() if result and result[0].skipped == "failed"]
    assert failed == ["stock.py"]
    connection.close()


def test_the_scan_ends_with_its_parent(workspace: Workspace, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "heron.editor.context.index.scan_process"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        task = {"path": str(tmp_path / "i.sqlite"), "folders": [str(workspace.folders[0])], "exclude": [], "workers": 0}
        process.stdin.write(json.dumps(task) + "\n")
        process.stdin.close()
        assert process.wait(30) in (0, 1)


def test_facts_can_be_sent_between_processes(workspace: Workspace, tmp_path: Path) -> None:
    connection = open_database(tmp_path / "index.sqlite")
    files = list(plan_scan(connection, workspace).changed)
    assert pickle.loads(pickle.dumps(list(read_here(workspace, files))))
    connection.close()


def test_a_worn_index_is_made_anew(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MIN_WORN_CHUNKS", 10)
    connection = open_database(index.path)
    assert not store.is_worn(connection)
    connection.execute("UPDATE facts SET value = value + 1000 WHERE key = 'last_chunk'")
    assert store.is_worn(connection)
    connection.close()
