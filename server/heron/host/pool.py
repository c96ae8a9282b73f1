"""Keeps one engine worker alive: starts it, watches it, restarts it, and retries what its end interrupted.

A worker that nobody asked for a while ends and gives its memory back; the next request starts another.
"""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass

from heron.errors import HeronError, ModelNotReady, OutOfMemory, Overloaded, SystemFault, WorkerCrashed
from heron.host.engine.engine import Engine
from heron.host.engine.pipe import Init
from heron.host.replay import AnswerChanged, Replay, make_repeatable
from heron.host.workers import Worker, WorkerProcess
from heron.settings import Settings
from heron.wire import Delta, GenerateRequest, Health, ModelInfo

MAX_VAIN_LIVES = 2
"""After so many workers that ended without a new token for it, a request is taken to be what ends them."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """When to give up on a worker.

    One that is busy must answer within `hang_s`, and end a step within `stuck_s` or so many times its longest step.
    """

    max_crashes: int = 5
    crash_window_s: float = 60.0
    first_backoff_s: float = 0.1
    heartbeat_s: float = 2.0
    hang_s: float = 60.0
    stuck_s: float = 20.0
    stuck_factor: float = 20.0
    retry_failed_s: float = 30.0


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
        make_worker: Callable[[], Worker] | None = None,
        limits: PoolLimits | None = None,
        make_room: Callable[[], Awaitable[bool]] = no_room,
    ) -> None:
        self._make_room = make_room
        self._name = settings.model.name
        self._unload_s = settings.engine.idle_unload_s or math.inf
        self._make_worker: Callable[[], Worker] = make_worker or (lambda: WorkerProcess(Init(settings)))
        self._limits = limits or PoolLimits()
        self._health = Health("starting", self._name)
        self._ready: asyncio.Future[Engine] | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._crash_times: deque[float] = deque()
        self._failed_at = 0.0
        self._model: ModelInfo | None = None
        self._asleep: asyncio.Event | None = None
        """There while the model is unloaded; set to load it again."""
        self._dismissed = asyncio.Event()
        self._resting = asyncio.Event()
        self._used_at = time.monotonic()
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
        return self._health

    async def engine(self, timeout_s: float | None = None) -> Engine:
        """An engine that survives its worker, once the model is ready.

        Raises why the model cannot be loaded, or ModelNotReady after `timeout_s`. A failed start is tried again by
        the first call that comes `retry_failed_s` after it: the network may be back.
        """
        if self._health.state == "failed" and time.monotonic() - self._failed_at >= self._limits.retry_failed_s:
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
        }
        if not self.is_loaded:
            return own
        try:
            return own | await (await self.current_engine()).metrics()
        except HeronError:  # it has just ended
            return own | {"loaded": 0.0}

    @contextmanager
    def use(self) -> Iterator[None]:
        """Count a request as running for the length of a with block."""
        self.num_running += 1
        try:
            yield
        finally:
            self.num_running -= 1
            self._used_at = time.monotonic()

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
                await (self._back_off(crash) if crash else self._sleep())
        except HeronError as error:
            self._give_up(error)
        except Exception as error:
            _log.exception("the pool failed")
            self._give_up(SystemFault(f"The engine worker cannot be run: {type(error).__name__}: {error}."))

    @property
    def is_loaded(self) -> bool:
        """Whether a worker holds the model now."""
        return self._ready is not None and self._ready.done() and self._ready.exception() is None

    @property
    def idle_s(self) -> float:
        """Seconds since the last request ended; 0 while one runs."""
        return 0.0 if self.num_running else time.monotonic() - self._used_at

    async def _run_worker(self) -> WorkerCrashed | None:
        """One life of a worker; why it ended, None if nobody needed it. Raises when there is no use in another."""
        worker = self._make_worker()
        try:
            engine = await worker.start(self._report)
            assert self._ready is not None
            self._ready.set_result(engine)
            self._model = engine.model
            self._health = Health("ready", engine.model.id, engine.model.place)
            self._used_at = time.monotonic()
            self.num_loads += 1
            how = await self._watch(worker, engine)
            return WorkerCrashed(f"The engine worker {how}.") if how else None
        except WorkerCrashed as error:
            return error
        finally:
            await worker.close()

    async def _watch(self, worker: Worker, engine: Engine) -> str:
        """Wait until the worker ends, or kill it when it hangs; how it ended, "" if it is no longer needed."""
        ended = asyncio.create_task(worker.wait_ended())
        hung = asyncio.create_task(self._wait_hung(engine))
        idle = asyncio.create_task(self._wait_idle())
        try:
            await asyncio.wait((ended, hung, idle), return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                return ended.result()
            if idle.done() and not hung.done():
                self._fall_asleep()
                return ""
            worker.kill()
            return f"{hung.result()} and was killed"
        finally:
            for task in (ended, hung, idle):
                task.cancel()
            await asyncio.gather(ended, hung, idle, return_exceptions=True)

    async def _wait_idle(self) -> None:
        """Return when no request ran for as long as the settings say, or when somebody unloads the model."""
        self._dismissed.clear()
        left_s = self._unload_s
        while left_s > 0 and not self._dismissed.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(left_s if left_s < math.inf else None):
                    await self._dismissed.wait()
            left_s = self._unload_s - self.idle_s

    def _fall_asleep(self) -> None:
        """Let who comes from now on wait for the next worker."""
        self._asleep = asyncio.Event()
        self._expect_engine()
        why = "on demand" if self._dismissed.is_set() else f"after {self._unload_s:g} s without a request"
        message = f"Unloaded {why}; the next request loads it again."
        self._health = Health("ready", self._model.id if self._model else self._name, message)
        _log.info("%s", message)

    async def _sleep(self) -> None:
        """Wait until somebody wants the model."""
        assert self._asleep is not None
        self._resting.set()
        await self._asleep.wait()
        self._resting.clear()
        self._asleep = None
        self._health = Health("loading", self._name, "Loading the model again.")

    async def _wait_hung(self, engine: Engine) -> str:
        """Return when the engine, though it has work, no longer answers or is stuck in one step; what it did."""
        while True:
            await asyncio.sleep(self._limits.heartbeat_s)
            if not self.num_running:
                continue
            try:
                metrics = await asyncio.wait_for(engine.metrics(), self._limits.hang_s)
            except TimeoutError:
                return f"did not answer for {self._limits.hang_s:g} s"
            except HeronError:  # it has ended, which is noticed elsewhere
                continue
            self.num_beats += 1
            step_s, longest_s = metrics.get("current_step_s", 0.0), metrics.get("longest_step_s", 0.0)
            if step_s > max(self._limits.stuck_s, self._limits.stuck_factor * longest_s):
                return f"was stuck in one step for {step_s:.0f} s"

    async def _back_off(self, reason: WorkerCrashed) -> None:
        """Wait before the next life, longer after each crash of late; raises after too many."""
        now = time.monotonic()
        self.num_crashes += 1
        self._crash_times.append(now)
        while now - self._crash_times[0] > self._limits.crash_window_s:
            self._crash_times.popleft()
        num_crashes = len(self._crash_times)
        if num_crashes >= self._limits.max_crashes:
            self._crash_times.clear()
            window = f"{num_crashes} times within {self._limits.crash_window_s:g} s"
            raise WorkerCrashed(
                f"The engine worker crashed {window}, last: {reason.message}", hint="See the host's log."
            )
        _log.warning("%s Restarting it.", reason.message)
        self._health = Health("starting", self._name, f"{reason.message} Restarting it.")
        await asyncio.sleep(self._limits.first_backoff_s * (2 ** (num_crashes - 1)))

    def _give_up(self, error: HeronError) -> None:
        _log.error("the model cannot be served: %s", error)
        self._health = Health("failed", self._name, str(error))
        self._failed_at = time.monotonic()
        self._refuse(error)

    def _report(self, health: Health) -> None:
        self._health = health

    def _expect_engine(self) -> None:
        """Let callers wait for the next engine; who waits for the last one already has it."""
        if self._ready is None or self._ready.done():
            self._ready = asyncio.get_running_loop().create_future()

    def _refuse(self, error: HeronError) -> None:
        self._expect_engine()
        assert self._ready is not None
        self._ready.set_exception(error)
        self._ready.exception()  # counts as retrieved: perhaps nobody waits


class PooledEngine:
    """The pool's engine over the lives of its workers: a request whose worker ended goes on with the next one."""

    def __init__(self, pool: Pool, model: ModelInfo) -> None:
        self._pool = pool
        self._model = model

    @property
    def model(self) -> ModelInfo:
        return self._model

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Delta, None]:
        with self._pool.use():
            async with aclosing(self._generate_over_lives(request)) as deltas:
                async for delta in deltas:
                    yield delta

    async def tokenize(self, text: str) -> list[int]:
        with self._pool.use():
            return await (await self._pool.current_engine()).tokenize(text)

    async def metrics(self) -> dict[str, float]:
        return await self._pool.metrics()

    async def close(self) -> None:
        """Nothing: the pool owns the worker."""

    async def _generate_over_lives(self, request: GenerateRequest) -> AsyncGenerator[Delta, None]:
        request, replay, num_vain = make_repeatable(request), Replay(), 0
        while True:
            engine = await self._pool.current_engine()
            replay.begin()
            try:
                async with aclosing(engine.generate(request)) as deltas:
                    async for delta in deltas:
                        if (fresh := replay.pass_on(delta)) is not None:
                            yield fresh
                return
            except AnswerChanged:
                raise
            except WorkerCrashed:
                num_vain += not replay.has_gained
                if num_vain >= MAX_VAIN_LIVES:
                    raise
                self._pool.forget(engine)
