"""The process that scans: it writes the index, and has others parse. Nothing of this burdens the language server.

It is told what to do in one line of JSON on stdin, tells its progress in lines of JSON on stdout, and ends when its
parent closes stdin or is gone. Of several for one index one works, the others wait and then find little to do.
"""

import json
import os
import sqlite3
import sys
import threading
from contextlib import closing
from functools import partial
from pathlib import Path

from heron.editor.context.index import schema, store
from heron.editor.context.index.parallel import read_in_parallel
from heron.editor.context.index.scan import carry_out, plan_scan, read_here
from heron.editor.context.index.symbol import Progress
from heron.editor.workspace.folders import Workspace

NICENESS = 10
FEW_BYTES = 500_000
"""What is read without other processes: starting them takes as long."""


def scan(path: Path, workspace: Workspace, workers: int) -> None:
    """Scan once, alone among all processes; an index that turns out damaged or worn is made anew."""
    from filelock import FileLock

    with FileLock(path.with_suffix(".lock")):
        try:
            _scan(path, workspace, workers)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            schema.remove_database(path)
            _scan(path, workspace, workers)


def main() -> None:
    os.nice(NICENESS)
    task = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    workspace = Workspace(tuple(Path(folder) for folder in task["folders"]), tuple(task["exclude"]))
    scan(Path(task["path"]), workspace, task["workers"])


def _scan(path: Path, workspace: Workspace, workers: int) -> None:
    with closing(schema.open_database(path)) as connection:
        if store.is_worn(connection):
            raise sqlite3.DatabaseError("worn")
        plan = plan_scan(connection, workspace)
        is_small = sum(found.size for found in plan.changed) < FEW_BYTES
        read = read_here if is_small or not workers else partial(read_in_parallel, workers)
        carry_out(connection, workspace, plan, read, _tell)


def _tell(progress: Progress) -> None:
    sys.stdout.write(json.dumps([progress.done, progress.total]) + "\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    """Leave at once when stdin ends; a transaction that was open is rolled back by the next who opens the index."""
    while sys.stdin.readline():
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
