"""The server's own loop over stdin and stdout, in place of pygls' `start_io`.

pygls 2.1.1 reads stdin in the thread pool it shares with handlers (deaf while that is busy), loses step at a header
in lower case, ends at a huge Content-Length, outlives its editor, and always exits with 0. Here a thread of its own
reads, another writes, and the loop between them never waits for a pipe. `connect_read_pipe` is not used: on Windows
it does not take an ordinary stdin, nor does it take a file anywhere.
"""

import asyncio
import logging
import os
import queue
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn, Protocol

from heron.editor.lsp.framing import Fault, Framer
from heron.editor.lsp.gate import Phase

logger = logging.getLogger(__name__)

_CHUNK_BYTES = 1 << 16
_PARENT_POLL_S = 2.0
_DRAIN_S = 2.0


class PipeWriter:
    """Writes to a file descriptor in a thread of its own, in order; the shape of writer pygls expects."""

    def __init__(self, descriptor: int, on_broken: Callable[[], object]) -> None:
        self._descriptor = descriptor
        self._on_broken = on_broken
        self._pending: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="lsp-writer", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        self._pending.put(data)

    def close(self) -> None:
        """Let what is pending be written, but do not wait for an editor that no longer reads."""
        self._pending.put(b"")
        self._thread.join(_DRAIN_S)

    def _run(self) -> None:
        while data := self._pending.get():
            view = memoryview(data)
            try:
                while view:
                    view = view[os.write(self._descriptor, view) :]
            except OSError:
                self._on_broken()
                return


class Receiver(Protocol):
    """Where messages go: a gate."""

    @property
    def phase(self) -> Phase: ...

    def receive(self, item: bytes | Fault) -> None: ...


async def read_messages(gate: Receiver, chunks: "asyncio.Queue[bytes]") -> None:
    """Handle messages until `exit` or the end of input (an empty chunk).

    Each message is handled up to its handler's first wait before the next is read, so that a request sees the
    document as it was when the request was sent, also if the next change came in the same write.
    """
    framer = Framer()
    while chunk := await chunks.get():
        for item in framer.feed(chunk):
            _receive(gate, item)
            await asyncio.sleep(0)
            if gate.phase == "exited" or (isinstance(item, Fault) and item.fatal):
                return


def start_reader(descriptor: int) -> "asyncio.Queue[bytes]":
    """Read a file descriptor in a daemon thread into a queue; an empty chunk is its end."""
    chunks: asyncio.Queue[bytes] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        with suppress(RuntimeError):  # the loop is closed: the server has ended
            chunk = b"-"
            while chunk:
                chunk = _read(descriptor)
                loop.call_soon_threadsafe(chunks.put_nowait, chunk)

    threading.Thread(target=read, name="lsp-reader", daemon=True).start()
    return chunks


async def watch_parent(find_pid: Callable[[], int | None]) -> None:
    """Return when the editor is gone. Its process id is known from `initialize` on; LSP 3.18, `processId`."""
    while (pid := find_pid() or 0) <= 0:  # noqa: ASYNC110 - pygls sets it, nothing tells of it
        await asyncio.sleep(_PARENT_POLL_S)
    import psutil

    try:
        parent = psutil.Process(pid)
        while parent.is_running() and parent.status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110 - nor of its end
            await asyncio.sleep(_PARENT_POLL_S)
    except (psutil.AccessDenied, OverflowError) as error:
        logger.warning("The editor's process %d cannot be watched: %s", pid, error)
        await asyncio.Event().wait()
    except psutil.Error:
        return


def take_stdout() -> int:
    """A private descriptor of stdout; what else the process prints goes to stderr and cannot disturb the wire."""
    sys.stdout.flush()
    wire = os.dup(1)
    os.dup2(2, 1)
    return wire


def _receive(gate: Receiver, item: bytes | Fault) -> None:
    try:
        gate.receive(item)
    except Exception:
        logger.exception("A message could not be handled")


def leave(code: int) -> NoReturn:
    """End the process at once, without waiting for threads: one may be starting a host for half a minute."""
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _CHUNK_BYTES)
    except OSError:
        return b""
