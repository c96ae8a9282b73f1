"""JSON-RPC over a child process's stdin and stdout, framed as LSP frames it: the client's end."""

import asyncio
import contextlib
import itertools
import json
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from heron.errors import HeronError, SystemFault

Listener = Callable[[str, Any], None]
Answerer = Callable[[str, Any], Awaitable[Any]]
_EXIT_WAIT_S = 10.0
_TAIL_LINES = 5
_LINE_BYTES = 1 << 24


class PeerError(HeronError):
    """The peer answered a request with an error; `number` is its JSON-RPC code."""

    code = "peer_error"

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.number = number


@dataclass(slots=True)
class Peer:
    """A running child process that speaks JSON-RPC. `listener` is told of each notification it sends.

    `answerer` gives the results of its requests; without one they are answered as by a client that has no wishes.
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    listener: Listener
    answerer: Answerer | None = None
    fault: SystemFault | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    _waiting: dict[int, asyncio.Future[Any]] = field(default_factory=dict)
    _answering: set[asyncio.Task[None]] = field(default_factory=set)
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def request(self, method: str, params: Any) -> Any:
        """The result of a request. Raises PeerError, or SystemFault if the peer ends; cancelling tells the peer."""
        number = next(self._ids)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            self._send({"id": number, "method": method, "params": params})
            return await answer
        except asyncio.CancelledError:
            if not self.fault:
                self.notify("$/cancelRequest", {"id": number})
            raise
        finally:
            self._waiting.pop(number, None)

    def notify(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        if self.fault:
            raise self.fault
        body = json.dumps({"jsonrpc": "2.0", **message}, ensure_ascii=False).encode()
        self.writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    async def read_messages(self) -> None:
        """Take in messages until the peer closes its end."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                self._take(json.loads(await _read_frame(self.reader)))

    def fail(self, fault: SystemFault) -> None:
        """Give up: whoever waits, and whoever asks from now on, gets `fault`."""
        self.fault = fault
        self.ended.set()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(fault)

    def _take(self, message: dict[str, Any]) -> None:
        if "method" not in message:
            self._settle(message)
        elif "id" in message:
            task = asyncio.ensure_future(self._answer(message))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        else:
            self.listener(message["method"], message.get("params"))

    async def _answer(self, message: dict[str, Any]) -> None:
        """Answer a request of the server: progress tokens, configuration, questions."""
        given = await self.answerer(message["method"], message.get("params")) if self.answerer else None
        if not self.fault:
            self._send({"id": message["id"], "result": _no_wishes(message) if given is None else given})

    def _settle(self, message: dict[str, Any]) -> None:
        answer = self._waiting.get(message["id"])
        if answer is None or answer.done():
            return
        if error := message.get("error"):
            answer.set_exception(PeerError(error["code"], error["message"]))
        else:
            answer.set_result(message.get("result"))


@asynccontextmanager
async def open_peer(command: Sequence[str], listener: Listener, *, echo: bool = False) -> AsyncIterator[Peer]:
    """Run `command` and talk to it. Leaving closes its stdin, then waits; one that stays is killed.

    What it writes to stderr is kept, and its last lines are told if it ends while somebody waits; `echo` shows it all.
    """
    pipe = asyncio.subprocess.PIPE
    # A session of its own: Ctrl-C in the terminal is for us alone; the peer ends when its stdin is closed.
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=pipe, limit=_LINE_BYTES, start_new_session=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    peer = Peer(process.stdout, process.stdin, listener)
    keeping = asyncio.create_task(_keep_tail(process.stderr, tail, echo))
    serving = asyncio.create_task(_serve(peer, process, keeping, tail))
    try:
        yield peer
    finally:
        await _end(process)
        await serving


async def _serve(
    peer: Peer, process: asyncio.subprocess.Process, keeping: asyncio.Task[None], tail: Sequence[str]
) -> None:
    await peer.read_messages()
    code = await process.wait()
    await keeping
    peer.fail(SystemFault(f"The language server ended with code {code}. {' / '.join(tail)}".strip()))


async def _keep_tail(stream: asyncio.StreamReader, tail: deque[str], echo: bool) -> None:
    while line := (await stream.readline()).decode(errors="replace"):
        tail.append(line.rstrip())
        if echo:
            sys.stderr.write(line)


async def _end(process: asyncio.subprocess.Process) -> None:
    assert process.stdin
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), _EXIT_WAIT_S)
    except TimeoutError:
        process.kill()
        await process.wait()


async def _read_frame(reader: asyncio.StreamReader) -> bytes:
    length = 0
    while line := (await reader.readuntil(b"\r\n")).strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return await reader.readexactly(length)


def _no_wishes(message: dict[str, Any]) -> Any:
    wanted = (message.get("params") or {}).get("items", ()) if message["method"] == "workspace/configuration" else None
    return None if wanted is None else [None for _ in wanted]
