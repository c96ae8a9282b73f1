"""What runs an engine for the pool: a child process, or, for tests, this very process."""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Protocol

from heron.errors import HeronError, SystemFault, WorkerCrashed
from heron.host.engine.engine import Engine
from heron.host.engine.load_hang import explain_hang
from heron.host.engine.pipe import (
    MAX_LINE_BYTES,
    HealthChanged,
    HostMessage,
    Init,
    Loaded,
    LoadFailed,
    WorkerMessage,
    error_of,
    read_worker_message,
    write_message,
)
from heron.host.engine.pipe_engine import PipeEngine
from heron.host.recovery.endings import count_oom_kills, explain_end
from heron.host.recovery.patience import Patience
from heron.wire import Health

CLOSE_GRACE_S = 3.0
"""How long a worker may take to leave after its stdin closed, and again after SIGTERM."""

ReportHealth = Callable[[Health], None]

_log = logging.getLogger(__name__)


class Worker(Protocol):
    """One life of an engine: started once, ended once."""

    async def start(self, report: ReportHealth) -> Engine:
        """The engine once it is ready. Raises WorkerCrashed when the worker ended first, else why loading failed."""
        ...

    async def wait_ended(self) -> WorkerCrashed:
        """Wait until the worker has ended; how it ended, and whose doing that was."""
        ...

    def cpu_s(self) -> float | None:
        """Processor time it has taken so far; None where that says nothing about it."""
        ...

    def kill(self) -> None:
        """End it at once; its requests fail with WorkerCrashed."""
        ...

    async def close(self) -> None:
        """End it in order, by force if it does not leave. Idempotent."""
        ...


def worker_command() -> tuple[str, ...]:
    """The command of a real worker; -P keeps the user's folder from shadowing a library."""
    return (sys.executable, "-P", "-m", "heron.host.engine.worker")


class WorkerProcess:
    """A worker in a child process, which ends with this one: its stdin is a pipe that only we hold."""

    def __init__(self, init: Init, command: Sequence[str] | None = None) -> None:
        self._init = init
        self._command = tuple(command or worker_command())
        self._process: asyncio.subprocess.Process | None = None
        self._engine: PipeEngine | None = None
        self._reading: asyncio.Task[WorkerCrashed] | None = None
        self._last_health = Health("starting")
        self._patience = Patience(init.settings.engine.load_timeout_s)
        self._oom_kills = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def start(self, report: ReportHealth) -> Engine:
        self._oom_kills = count_oom_kills()
        self._process = await self._spawn()
        ready: asyncio.Future[Engine] = asyncio.get_running_loop().create_future()
        self._reading = asyncio.create_task(self._read(self._process, ready, report), name="worker-pipe")
        self._send(self._init)
        if not await self._patience.wait(ready, self._reading):
            self.kill()
            raise await asyncio.to_thread(explain_hang, self._init.settings, self._last_health)
        if not ready.done():
            raise self._reading.result()
        return ready.result()

    async def wait_ended(self) -> WorkerCrashed:
        return await asyncio.shield(self._reading) if self._reading else WorkerCrashed("The worker was never started.")

    def cpu_s(self) -> float | None:
        import psutil

        try:
            times = psutil.Process(self.pid).cpu_times()
        except psutil.Error:  # it has just ended
            return None
        return float(times.user + times.system)

    def kill(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.kill()

    async def close(self) -> None:
        if self._process is None or self._reading is None:
            return
        stdin = self._process.stdin
        try:
            if stdin:
                stdin.close()
            if not await self._has_ended():
                self._signal(signal.SIGTERM)
                await self._has_ended()
        finally:
            self.kill()
            await self.wait_ended()  # also when we were cancelled while waiting politely: nobody else would

    async def _spawn(self) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        try:
            return await asyncio.create_subprocess_exec(*self._command, stdin=pipe, stdout=pipe, limit=MAX_LINE_BYTES)
        except OSError as error:
            raise SystemFault(f"The engine worker could not be started: {error}.") from error

    async def _read(
        self, process: asyncio.subprocess.Process, ready: asyncio.Future[Engine], report: ReportHealth
    ) -> WorkerCrashed:
        """Sort what the worker says until it ends; how it ended."""
        assert process.stdout is not None
        try:
            while line := await process.stdout.readline():
                self._receive(read_worker_message(line), ready, report)
        except (ValueError, HeronError):
            _log.exception("the engine worker said something strange")
            self.kill()
        ending = explain_end(await process.wait(), self._oom_kills)
        if self._engine:
            self._engine.fail(ending)
        return ending

    def _receive(self, message: WorkerMessage, ready: asyncio.Future[Engine], report: ReportHealth) -> None:
        match message:
            case HealthChanged(health=health):
                self._last_health = health
                self._patience.renew()
                report(health)
            case Loaded(model=model) if not ready.done():
                self._engine = PipeEngine(model, self._send)
                ready.set_result(self._engine)
            case LoadFailed(failure=failure) if not ready.done():
                ready.set_exception(error_of(failure))
                ready.exception()  # counts as retrieved: start may have been cancelled
            case _ if self._engine:
                self._engine.receive(message)

    def _send(self, message: HostMessage) -> None:
        stdin = self._process.stdin if self._process else None
        if stdin and not stdin.is_closing():
            stdin.write(write_message(message))

    async def _has_ended(self) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.wait_ended(), CLOSE_GRACE_S)
            return True
        return False

    def _signal(self, number: signal.Signals) -> None:
        if self._process and self._process.returncode is None:
            self._process.send_signal(number)


class InProcessWorker:
    """An engine of this process in the place of a worker, for tests of what is above the pool."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._ended = asyncio.Event()

    async def start(self, report: ReportHealth) -> Engine:
        report(Health("loading", self._engine.model.id))
        return self._engine

    async def wait_ended(self) -> WorkerCrashed:
        await self._ended.wait()
        return WorkerCrashed("The engine was closed.")

    def cpu_s(self) -> float | None:
        return None

    def kill(self) -> None:
        self._ended.set()

    async def close(self) -> None:
        self._ended.set()
        await self._engine.close()
