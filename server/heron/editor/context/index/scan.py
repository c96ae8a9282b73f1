"""Bringing an index in line with the files on disk. Runs in a process of its own, `scan_process`."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from heron.editor.context.index import store
from heron.editor.context.index.facts import Facts
from heron.editor.context.index.read_file import read_file
from heron.editor.context.index.store import FileRow
from heron.editor.context.index.symbol import Progress
from heron.editor.workspace.folders import Workspace
from heron.editor.workspace.walk import Found, Reason, walk_files

BATCH_FILES = 50
"""Files a transaction: other processes wait for their turn no longer than these take to write."""

Read = tuple[Found, tuple[FileRow, Facts | None] | None]
ReadFiles = Callable[[Workspace, list[Found]], Iterable[Read]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a scan has to do."""

    changed: tuple[Found, ...]
    gone: tuple[str, ...]
    skipped: dict[Reason, int]
    unchanged: int


def plan_scan(connection: sqlite3.Connection, workspace: Workspace) -> Plan:
    """Compare the index with the folders by size and time."""
    known = store.known_files(connection)
    skipped: Counter[Reason] = Counter()
    changed, unchanged = [], 0
    for found in walk_files(workspace, skipped):
        if known.pop(found.path, None) == (found.size, found.mtime_ns):
            unchanged += 1
        else:
            changed.append(found)
    return Plan(tuple(changed), tuple(known), dict(skipped), unchanged)


def carry_out(
    connection: sqlite3.Connection,
    workspace: Workspace,
    plan: Plan,
    read: ReadFiles,
    report: Callable[[Progress], None],
) -> None:
    """Write what changed, batch by batch; `read` reads files in any order."""
    total = len(plan.changed)
    report(Progress(0, total))
    with store.transaction(connection):
        store.remove_files(connection, plan.gone)
    done = 0
    for batch in _batches(read(workspace, list(plan.changed)), BATCH_FILES):
        with store.transaction(connection):
            for found, result in batch:
                write_result(connection, found, result)
        done += len(batch)
        report(Progress(done, total))
    store.note_complete(connection)


def read_here(workspace: Workspace, files: list[Found]) -> Iterator[Read]:
    """Read files in this process, one after the other."""
    for found in files:
        yield found, read_file(workspace, found)


def write_result(connection: sqlite3.Connection, found: Found, result: tuple[FileRow, Facts | None] | None) -> None:
    """Write one file that was read. Needs a transaction."""
    if result is None:
        store.remove_files(connection, [found.path])
        return
    row, facts = result
    if facts is None and not row.skipped:
        store.touch_file(connection, row)
    else:
        store.put_file(connection, row, facts)


def _batches(items: Iterable[Read], size: int) -> Iterator[list[Read]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
