"""Reading files in several processes: each is handed a batch, answers with facts, and is handed the next.

A parser is C code and may crash on a file no one has tried; then its process is replaced, and the file is noted.
"""

import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from heron.editor.context.index.scan import Read
from heron.editor.context.index.store import FileRow
from heron.editor.workspace.folders import Workspace
from heron.editor.workspace.walk import Found

BATCH_BYTES = 250_000
WAITING_BATCHES = 4
"""Batches read but not yet written; more would only take memory."""
_CRASHES = (OSError, EOFError, pickle.UnpicklingError)
_COMMAND = (sys.executable, "-P", "-m", "heron.editor.context.index.parse_process")


def read_in_parallel(workers: int, workspace: Workspace, files: list[Found]) -> Iterator[Read]:
    """Read files in `workers` processes, in no order."""
    pool = _Pool(workspace, iter(_cut_batches(files)))
    threads = [threading.Thread(target=pool.feed, daemon=True) for _ in range(workers)]
    for thread in threads:
        thread.start()
    try:
        left = workers
        while left:
            batch = pool.done.get()
            if isinstance(batch, Exception):
                raise batch
            left -= batch is None
            yield from batch or ()
    finally:
        pool.stop()


@dataclass
class _Pool:
    """What the threads share that each feed one process."""

    workspace: Workspace
    batches: Iterator[list[Found]]
    done: "queue.Queue[list[Read] | Exception | None]" = field(default_factory=lambda: queue.Queue(WAITING_BATCHES))
    lock: threading.Lock = field(default_factory=threading.Lock)
    stopped: threading.Event = field(default_factory=threading.Event)

    def feed(self) -> None:
        """Hand batches to a process of this thread's own until there are none; ends with None or an error in `done`."""
        try:
            self._feed()
        except Exception as error:
            self._put(error)
        self._put(None)

    def _feed(self) -> None:
        process = _start(self.workspace)
        try:
            while not self.stopped.is_set() and (batch := self._next()):
                try:
                    self._put(_ask(process, batch))
                except _CRASHES:
                    _end(process)
                    process = self._read_singly(batch)
        finally:
            _end(process)

    def stop(self) -> None:
        self.stopped.set()

    def _read_singly(self, batch: list[Found]) -> "subprocess.Popen[bytes]":
        """Find the file on which a process ended; a running process is handed back."""
        process = _start(self.workspace)
        for found in batch:
            try:
                self._put(_ask(process, [found]))
            except _CRASHES:
                failed = FileRow(found.path, found.size, found.mtime_ns, b"", "failed")
                self._put([(found, (failed, None))])
                _end(process)
                process = _start(self.workspace)
        return process

    def _next(self) -> list[Found] | None:
        with self.lock:
            return next(self.batches, None)

    def _put(self, batch: list[Read] | Exception | None) -> None:
        while not self.stopped.is_set():
            with suppress(queue.Full):
                return self.done.put(batch, timeout=0.2)


def _start(workspace: Workspace) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(_COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    with suppress(OSError):
        pickle.dump((workspace.folders, workspace.exclude), process.stdin)
        process.stdin.flush()
    return process


def _ask(process: "subprocess.Popen[bytes]", batch: list[Found]) -> list[Read]:
    assert process.stdin is not None
    assert process.stdout is not None
    pickle.dump(batch, process.stdin)
    process.stdin.flush()
    answer: list[Read] = pickle.load(process.stdout)
    return answer


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):
                stream.close()


def _cut_batches(files: list[Found]) -> Iterator[list[Found]]:
    batch: list[Found] = []
    size = 0
    for found in files:
        batch.append(found)
        size += found.size
        if size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
