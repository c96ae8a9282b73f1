"""Keeps one engine worker alive: starts it, watches it, restarts it, with less if need be, and at last gives it up.

A worker that nobody asked for a while ends and gives its memory back; the next request starts another.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from heron.errors import HeronError, ModelNotReady, OutOfMemory, Overloaded, SystemFault, WorkerCrashed
from heron.host.engine.engine import Engine
from heron.host.engine.pipe import Init
from heron.host.engine.spans import StepSpan
from heron.host.pooled_engine import PooledEngine
from heron.host.recovery.breaker import Breaker, BreakerLimits
from heron.host.recovery.degradation import Ladder
from heron.host.recovery.endings import is_short_of_memory
from heron.host.recovery.watchdog import HangLimits, Watchdog
from heron.host.workers import Worker, WorkerProcess
from heron.settings import Settings
from heron.wire import Health, ModelInfo

MakeWorker = Callable[[Settings], Worker]
"""Makes the next life of a worker, by settings that ask for less than the pool's while it runs with less."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """When to give up on a worker.

    One that runs with less is tried with all again after `rise_s`, which doubles each time that it did not help.
    """

    breaker: BreakerLimits = BreakerLimits()
    hang: HangLimits = HangLimits()
    rise_s: float = 60.0
    longest_rise_s: float = 3600.0


async def no_room() -> bool:
    """What a pool by itself finds when its model does not fit: nothing else to unload."""
    return False


class Pool:
    """One worker and the health of its model.

    `make_worker` makes the next life of it, by default a child process. Where the model does not fit the memory,
    `make_room` is asked to free some, and tells whether loading may be tried again.
    """

    def __init__(
        self,
        settings: Settings,
        make_worker: MakeWorker | None = None,
        limits: PoolLimits | None = None,
        make_room: Callable[[], Awaitable[bool]] = no_room,
    ) -> None:
        self._make_room = make_room
        self._name = settings.model.name
        self._unload_s = settings.engine.idle_unload_s or math.inf
        self._make_worker: MakeWorker = make_worker or (lambda own: WorkerProcess(Init(own)))
        self._limits = limits or PoolLimits()
        self._breaker = Breaker(self._limits.breaker)
        self._ladder = Ladder(settings)
        self._num_falls = 0
        self._health = Health("starting", self._name)
        self._ready: asyncio.Future[Engine] | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._model: ModelInfo | None = None
        self._asleep: asyncio.Event | None = None
        """There while the model is unloaded; set to load it again."""
        self._dismissed = asyncio.Event()
        self._resting = asyncio.Event()
        self._used_at = time.monotonic()
        self._num_answers = 0
        self.num_running = 0
        self.num_crashes = 0
        self.num_loads = 0
        self.num_beats = 0

    async def start(self) -> None:
        """Begin to start the worker; returns at once, `health` tells how it goes."""
        if self._supervisor is None or self._supervisor.done():
            self._expect_engine()
            self._health = Health("starting", self._name)
            self._supervisor = asyncio.create_task(self._supervise(), name="pool")

    def health(self) -> Health:
        """The state of the worker and its model now."""
        less = self._model.notice if self._model is not None and self.is_loaded else ""
        return replace(self._health, notice=self._ladder.notice or self._health.notice or less)

    async def engine(self, timeout_s: float | None = None) -> Engine:
        """An engine that survives its worker, once the model is ready.

        Raises why the model cannot be loaded, or ModelNotReady after `timeout_s`. What was given up is tried again by
        the first call that comes long enough after: the network, say, may be back.
        """
        if self._health.state == "failed" and self._breaker.may_retry:
            await self.start()
        if self._asleep is not None and self._model is not None:
            return PooledEngine(self, self._model)
        try:
            engine = await asyncio.wait_for(self.current_engine(), timeout_s)
        except TimeoutError:
            raise ModelNotReady(f"The model is not ready yet: {self._health.message or self._health.state}.") from None
        return PooledEngine(self, engine.model)

    async def current_engine(self) -> Engine:
        """The engine of the present worker, loaded again if it is not; it ends with it."""
        if self._ready is None:
            raise ModelNotReady("No engine worker runs.")
        if self._asleep is not None:
            self._asleep.set()
        return await asyncio.shield(self._ready)

    async def unload(self) -> None:
        """Give the model's memory back now. Raises Overloaded while requests run."""
        if self.num_running:
            raise Overloaded(f"{self.num_running} requests run on the model; it is unloaded when they have ended.")
        if self.is_loaded:
            self._dismissed.set()

    async def wait_unloaded(self) -> None:
        """Wait until the worker of a model that is being unloaded has ended."""
        await self._resting.wait()

    async def wake(self) -> None:
        """Load the model again if it was unloaded, or could not be loaded; returns at once."""
        if self._asleep is not None:
            self._asleep.set()
        elif self._health.state == "failed":
            await self.start()

    async def metrics(self) -> dict[str, float]:
        """Counters and gauges of the pool, and of the engine while it is loaded."""
        own = {
            "loaded": float(self.is_loaded),
            "loads_total": self.num_loads,
            "worker_crashes_total": self.num_crashes,
            "degraded": float(self._ladder.is_down),
        }
        if not self.is_loaded:
            return own
        try:
            return own | await (await self.current_engine()).metrics()
        except HeronError:  # it has just ended
            return own | {"loaded": 0.0}

    async def steps(self, since_s: float) -> tuple[StepSpan, ...]:
        """What the engine's steps since then were spent on; nothing while it is not loaded."""
        if not self.is_loaded:
            return ()
        try:
            return await (await self.current_engine()).steps(since_s)
        except HeronError:  # it has just ended
            return ()

    @property
    def is_loaded(self) -> bool:
        """Whether a worker holds the model now."""
        return self._ready is not None and self._ready.done() and self._ready.exception() is None

    @property
    def idle_s(self) -> float:
        """Seconds since the last request ended; 0 while one runs."""
        return 0.0 if self.num_running else time.monotonic() - self._used_at

    @contextmanager
    def use(self) -> Iterator[None]:
        """Count a request as running for the length of a with block."""
        self.num_running += 1
        try:
            yield
        finally:
            self.num_running -= 1
            self._used_at = time.monotonic()

    def note_answer(self) -> None:
        """The present worker answered a request."""
        self._num_answers += 1

    def forget(self, engine: Engine) -> None:
        """Let callers wait for the next engine in place of this one, whose worker was seen to end."""
        ready = self._ready
        if ready is not None and ready.done() and ready.exception() is None and ready.result() is engine:
            self._expect_engine()

    async def close(self) -> None:
        """End the worker; requests in flight fail."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
        if self._ready is not None and not self._ready.done():
            self._refuse(ModelNotReady("The host is closing."))
        self._ready = None

    async def _supervise(self) -> None:
        try:
            while True:
                try:
                    crash = await self._run_worker()
                except OutOfMemory:
                    if not await self._make_room():
                        raise
                    continue
                self._expect_engine()
                if crash is not None:
                    await self._prepare_next(crash)
                elif self._asleep is not None:
                    await self._sleep(self._asleep)
        except HeronError as error:
            self._give_up(error)
        except Exception as error:
            _log.exception("the pool failed")
            self._give_up(SystemFault(f"The engine worker cannot be run: {type(error).__name__}: {error}."))

    async def _run_worker(self) -> WorkerCrashed | None:
        """One life of a worker; why it ended, None if we ended it in order. Raises when there is no use in another."""
        worker, self._num_answers = self._make_worker(self._ladder.settings), 0
        try:
            engine = await worker.start(self._report)
            assert self._ready is not None
            self._ready.set_result(engine)
            self._model = engine.model
            self._health = Health("ready", engine.model.id, engine.model.place)
            self._used_at = time.monotonic()
            self.num_loads += 1
            return await self._watch(worker, engine)
        except WorkerCrashed as error:
            return error
        finally:
            await worker.close()

    async def _watch(self, worker: Worker, engine: Engine) -> WorkerCrashed | None:
        """Wait until the worker ends, or is to be ended: because it hangs, is not needed, or may have more again."""
        watchdog = Watchdog(self._limits.hang, lambda: self.num_running > 0, worker.cpu_s, self._count_beat)
        ended = asyncio.create_task(worker.wait_ended())
        hung = asyncio.create_task(watchdog.wait_hung(engine))
        idle = asyncio.create_task(self._wait_idle())
        rising = asyncio.create_task(self._wait_rise())
        tasks = (ended, hung, idle, rising)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                return ended.result()
            if hung.done():
                worker.kill()
                return WorkerCrashed(f"The engine worker {hung.result()} and was killed.")
            if idle.done():
                self._fall_asleep()
            else:
                self._rise()
            return None
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _wait_idle(self) -> None:
        """Return when no request ran for as long as the settings say, or when somebody unloads the model."""
        self._dismissed.clear()
        left_s = self._unload_s
        while left_s > 0 and not self._dismissed.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(left_s if left_s < math.inf else None):
                    await self._dismissed.wait()
            left_s = self._unload_s - self.idle_s

    async def _wait_rise(self) -> None:
        """Return when a model that runs with less may be tried with all again: later each time, beside no request."""
        if not self._ladder.is_down:
            await asyncio.Event().wait()
        wait_s = self._limits.rise_s * 2.0 ** (self._num_falls - 1)
        await asyncio.sleep(min(wait_s, self._limits.longest_rise_s))
        while True:
            if not self.num_running and not is_short_of_memory():
                return
            await asyncio.sleep(self._limits.hang.heartbeat_s)

    def _rise(self) -> None:
        _log.info("The model is tried with what the settings ask for again")
        self._ladder.rise()
        self._expect_engine()
        self._health = Health("loading", self._name, "Loading the model again, as the settings have it.")

    def _fall_asleep(self) -> None:
        """Let who comes from now on wait for the next worker, which has all again."""
        self._ladder.rise()
        self._asleep = asyncio.Event()
        self._expect_engine()
        why = "on demand" if self._dismissed.is_set() else f"after {self._unload_s:g} s without a request"
        message = f"Unloaded {why}; the next request loads it again."
        self._health = Health("ready", self._model.id if self._model else self._name, message)
        _log.info("%s", message)

    async def _sleep(self, woken: asyncio.Event) -> None:
        """Wait until somebody wants the model."""
        self._resting.set()
        await woken.wait()
        self._resting.clear()
        self._asleep = None
        self._health = Health("loading", self._name, "Loading the model again.")

    async def _prepare_next(self, crash: WorkerCrashed) -> None:
        """Go down a step if that may help, and wait, longer after each life in vain; raises after too many."""
        self.num_crashes += 1
        wait_s = self._breaker.note_end(was_fruitful=self._num_answers > 0)
        on_card = self._model is not None and self._model.on_card
        if self._ladder.descend(crash, on_card, is_last_try=self._breaker.is_at_limit):
            self._num_falls += 1
            self._breaker.forgive()
            _log.warning("%s", self._ladder.notice)
        elif self._breaker.is_at_limit:
            raise WorkerCrashed(
                f"The engine worker ended {self._breaker.num_vain} times in a row without an answer. "
                f"The last time: {crash.message}",
                hint=self._way_back(),
            )
        _log.warning("%s Restarting it.", crash.message)
        self._health = Health("starting", self._name, f"{crash.message} Restarting it.")
        await asyncio.sleep(wait_s)

    def _way_back(self) -> str:
        """What a user can do about a model that is given up now."""
        return f"It is tried again by the first request after {self._breaker.pause_s:g} s; see heron doctor."

    def _give_up(self, error: HeronError) -> None:
        _log.error("the model cannot be served: %s", error)
        if not isinstance(error, WorkerCrashed):  # no network, say: that is worth a look at the same pace
            self._breaker.forgive()
        self._breaker.open()
        self._ladder.rise()
        self._health = Health("failed", self._name, str(error))
        self._refuse(error)

    def _report(self, health: Health) -> None:
        self._health = health

    def _count_beat(self) -> None:
        self.num_beats += 1

    def _expect_engine(self) -> None:
        """Let callers wait for the next engine; who waits for the last one already has it."""
        if self._ready is None or self._ready.done():
            self._ready = asyncio.get_running_loop().create_future()

    def _refuse(self, error: HeronError) -> None:
        self._expect_engine()
        assert self._ready is not None
        self._ready.set_exception(error)
        self._ready.exception()  # counts as retrieved: perhaps nobody waits
