"""The engine worker: `python -m heron.host.engine.worker`, one process that owns the device for one model.

Its stdin and stdout are the pipe to the host (`pipe.py`); whatever libraries print goes to stderr. It ends when its
stdin closes, so that it never outlives the host.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

from heron.errors import DeviceLost, HeronError, SystemFault, WorkerCrashed
from heron.host.engine.engine import Engine
from heron.host.engine.gathering import GatheredWrites
from heron.host.engine.pipe import (
    DEVICE_LOST_STATUS,
    MAX_LINE_BYTES,
    Close,
    HealthChanged,
    HostMessage,
    Init,
    Loaded,
    LoadFailed,
    WorkerMessage,
    failure_of,
    read_host_message,
    write_message,
)
from heron.host.engine.pipe_server import PipeServer
from heron.host.engine.scripted import ScriptedEngine
from heron.logs import choose_log_format
from heron.wire import Health

CLOSE_TIMEOUT_S = 2.0
_LEAVE_DELAY_S = 0.1

_Send = Callable[[WorkerMessage], None]

_log = logging.getLogger(__name__)


def main() -> None:
    """Serve the pipe until the host goes away, then leave at once: a compile under way is not waited for."""
    pipe_out = _take_stdout()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s worker %(levelname)s %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches the host too, which ends us in order
    _name_process("heron-worker")
    status = 0
    try:
        asyncio.run(_serve(sys.stdin.fileno(), pipe_out))
    except BaseException:
        _log.exception("the worker failed")
        status = 1
    logging.shutdown()
    os._exit(status)


def _take_stdout() -> int:
    """A private copy of stdout for the pipe; file descriptor 1 then leads to stderr, for whoever prints."""
    sys.stdout.flush()
    private = os.dup(1)
    os.dup2(2, 1)
    return private


def _name_process(name: str) -> None:
    """Show a readable name in ps and top, where the system has a file for it."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(name)


async def _serve(fd_in: int, fd_out: int) -> None:
    reader, send = await _open_pipe(fd_in, fd_out)
    messages = _read_messages(reader)
    init = await anext(messages, Close())
    if isinstance(init, Close):
        return
    if not isinstance(init, Init):
        raise SystemFault(f"The first message was {type(init).__name__}, not Init.")
    choose_log_format(init.settings.host.log_format, "worker")
    loading = asyncio.create_task(_load(init, send))
    async for message in messages:
        if server := await loading:
            server.receive(message)
    if loading.done() and (server := loading.result()):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(server.close(), CLOSE_TIMEOUT_S)


async def _open_pipe(fd_in: int, fd_out: int) -> tuple[asyncio.StreamReader, _Send]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=MAX_LINE_BYTES)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(fd_in, "rb", 0))
    transport, _ = await loop.connect_write_pipe(asyncio.Protocol, os.fdopen(fd_out, "wb", 0))
    writes = GatheredWrites(transport.write)
    return reader, lambda message: writes.write(write_message(message))


async def _read_messages(reader: asyncio.StreamReader) -> AsyncGenerator[HostMessage, None]:
    """Messages until the host closes the pipe or says so."""
    while line := await reader.readline():
        message = read_host_message(line)
        if isinstance(message, Close):
            return
        yield message


async def _load(init: Init, send: _Send) -> PipeServer | None:
    """The engine ready to serve, or None after telling the host why there is none."""
    try:
        engine = await _load_engine(init, send)
    except Exception as error:
        if not isinstance(error, HeronError):
            _log.exception("loading failed")
        send(LoadFailed(failure_of(error)))
        return None
    send(Loaded(engine.model))
    return PipeServer(engine, send, _leave_broken)


def _leave_broken(fault: WorkerCrashed) -> None:
    """End the process once what was sent has gone out, with a status that tells why: the host starts another."""

    def leave() -> None:
        _log.error("the engine is broken; the worker leaves: %s", fault)
        logging.shutdown()
        os._exit(DEVICE_LOST_STATUS if isinstance(fault, DeviceLost) else 1)

    asyncio.get_running_loop().call_later(_LEAVE_DELAY_S, leave)


async def _load_engine(init: Init, send: _Send) -> Engine:
    if init.script is not None:
        return ScriptedEngine(init.script)
    loop = asyncio.get_running_loop()

    def report(health: Health) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed: the worker is leaving
            loop.call_soon_threadsafe(send, HealthChanged(health))

    from heron.host.engine.backend_load import load_backend  # tvm and the tokenizer: a scripted worker needs none

    return await _run_in_thread(lambda: load_backend(init.settings, report))


async def _run_in_thread(work: Callable[[], Engine]) -> Engine:
    """The result of `work` in a daemon thread: unlike asyncio's own, it does not keep the process from leaving."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[Engine] = loop.create_future()

    def run() -> None:
        try:
            engine = work()
        except Exception as error:
            _settle(loop, result.set_exception, error)
        else:
            _settle(loop, result.set_result, engine)

    threading.Thread(target=run, name="load", daemon=True).start()
    return await result


def _settle(loop: asyncio.AbstractEventLoop, settle: Callable[[Any], None], value: object) -> None:
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(settle, value)


if __name__ == "__main__":
    main()
