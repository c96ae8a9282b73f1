"""A pool whose model does not keep running with what the settings ask for: down step by step, and up again."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import aclosing
from functools import partial
from pathlib import Path

import pytest

from heron.errors import WorkerCrashed, WorkerKilled, WorkerOutOfMemory
from heron.host.engine.pipe import DEVICE_LOST_STATUS, Init, Loaded, write_message
from heron.host.engine.scripted import Script, ScriptedEngine
from heron.host.pool import Pool, PoolLimits
from heron.host.recovery.breaker import BreakerLimits
from heron.host.workers import InProcessWorker, Worker, WorkerProcess
from heron.settings import Settings
from heron.wire import GenerateRequest, ModelInfo, TextPrompt
from unit.host.test_pool import running_pool

NO_MEMORY = WorkerOutOfMemory("The system killed the engine worker, for memory had run out.")
NEVER_UP = PoolLimits(BreakerLimits(max_vain=3, first_backoff_s=0.0), rise_s=1e6, longest_rise_s=1e6)
SOON_UP = PoolLimits(BreakerLimits(first_backoff_s=0.0), rise_s=0.01)


class Mortal(InProcessWorker):
    """Ends as the test says."""

    def __init__(self, engine: ScriptedEngine) -> None:
        super().__init__(engine)
        self.engine = engine
        self.ending = WorkerCrashed("It was closed.")

    async def wait_ended(self) -> WorkerCrashed:
        await super().wait_ended()
        return self.ending

    def end(self, ending: WorkerCrashed) -> None:
        self.ending = ending
        self.kill()


class Lives:
    """The workers of a pool, the settings each was made by, and a way to wait for the next."""

    def __init__(self) -> None:
        self.workers: list[Mortal] = []
        self.settings: list[Settings] = []

    def __call__(self, settings: Settings) -> Worker:
        self.settings.append(settings)
        self.workers.append(Mortal(ScriptedEngine("hello", model=ModelInfo("m", settings.engine.context_window))))
        return self.workers[-1]

    def is_life(self, pool: Pool, number: int) -> bool:
        """Whether the pool runs its worker of this number."""
        return len(self.workers) == number and pool.is_loaded


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.to_thread(lambda: None)


async def answer(pool: Pool) -> str:
    async with aclosing((await pool.engine()).generate(GenerateRequest("r", TextPrompt("x")))) as deltas:
        return "".join([delta.text async for delta in deltas])


async def test_memory_that_runs_out_takes_context_and_then_the_batch() -> None:
    lives = Lives()
    async with running_pool(lives, NEVER_UP) as pool:
        assert await answer(pool) == "hello"
        assert pool.health().notice == ""
        for window, running, words in ((1024, 0, "smaller context"), (1024, 1, "one request at a time")):
            lives.workers[-1].end(NO_MEMORY)
            await until(partial(lives.is_life, pool, 2 + running))
            engine = lives.settings[-1].engine
            assert (engine.context_window, engine.max_running) == (window, running)
            assert words in pool.health().notice
            assert await answer(pool) == "hello"
            assert (await pool.metrics())["degraded"] == 1.0


@pytest.fixture
def little_memory() -> Iterator[Path]:
    """A control group of 100 MB; the kernel kills who takes more."""
    group = Path("/sys/fs/cgroup/memory") / f"heron-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text("100M")
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    yield group
    group.rmdir()


async def test_a_worker_that_linux_kills_for_memory_is_told_as_such(little_memory: Path) -> None:
    program = (
        f"import os; open({str(little_memory / 'cgroup.procs')!r}, 'w').write(str(os.getpid())); "
        "x = bytearray(400_000_000); x[::4096] = bytes(len(x[::4096]))"
    )
    worker = WorkerProcess(Init(Settings()), (sys.executable, "-c", program))
    with pytest.raises(WorkerOutOfMemory, match="memory had run out"):
        await worker.start(lambda health: None)
    await worker.close()


async def test_a_model_that_got_less_from_the_start_says_so_while_it_is_loaded() -> None:
    model = ModelInfo("m", 2048, notice="The memory budget leaves a KV cache of 2048 tokens.")
    async with running_pool(lambda settings: Mortal(ScriptedEngine("hello", model=model)), NEVER_UP) as pool:
        assert pool.health().notice == ""
        assert await answer(pool) == "hello"
        assert pool.health().notice == model.notice


async def test_it_has_all_again_once_that_is_over() -> None:
    lives = Lives()
    async with running_pool(lives, SOON_UP) as pool:
        await pool.engine()
        lives.workers[0].end(NO_MEMORY)
        await until(partial(lives.is_life, pool, 3))
        assert [settings.engine.context_window for settings in lives.settings] == [4096, 1024, 4096]
        assert pool.health().notice == ""
        assert await answer(pool) == "hello"


async def test_it_does_not_go_up_beside_a_request() -> None:
    lives = Lives()
    async with running_pool(lives, SOON_UP) as pool:
        await pool.engine()
        lives.workers[0].end(NO_MEMORY)
        await until(partial(lives.is_life, pool, 2))
        engine = lives.workers[1].engine
        engine.hold()
        asking = asyncio.create_task(answer(pool))
        await engine.wait_for(lambda engine: len(engine.requests) == 1)
        done, _ = await asyncio.wait([asking], timeout=0.2)
        assert not done
        assert len(lives.workers) == 2
        engine.release()
        assert await asking == "hello"
        await until(lambda: len(lives.workers) == 3)


async def test_what_keeps_ending_is_given_up_with_the_reason_and_the_way_back() -> None:
    lives = Lives()
    async with running_pool(lives, NEVER_UP) as pool:
        for number in range(1, 4):
            await until(partial(lives.is_life, pool, number))
            lives.workers[-1].end(WorkerCrashed("The engine worker was killed by SIGSEGV."))
        await until(lambda: pool.health().state == "failed")
        message = pool.health().message
        assert "ended 3 times in a row without an answer. The last time: The engine worker was killed by SIG" in message
        assert "tried again by the first request after 30 s; see heron doctor" in message
        await pool.wake()
        assert await answer(pool) == "hello", "somebody who asks for it need not wait"


async def test_a_worker_that_answers_is_not_given_up_however_often_it_ends() -> None:
    lives = Lives()
    async with running_pool(lives, NEVER_UP) as pool:
        for number in range(1, 13):
            await until(partial(lives.is_life, pool, number))
            assert await answer(pool) == "hello"
            lives.workers[-1].end(WorkerKilled("The engine worker was killed by SIGKILL."))
        assert pool.health().state != "failed"


async def test_a_worker_that_lost_its_card_is_replaced_by_one_on_the_cpu() -> None:
    said = write_message(Loaded(ModelInfo("m", 4096, on_card=True)))
    program = (
        f"import sys; sys.stdin.readline(); sys.stdout.buffer.write({said!r}); sys.stdout.flush(); "
        f"sys.stdin.readline(); sys.exit({DEVICE_LOST_STATUS})"
    )
    settings: list[Settings] = []

    def make_worker(own: Settings) -> WorkerProcess:
        settings.append(own)
        on_card = WorkerProcess(Init(own), (sys.executable, "-c", program))
        return on_card if own.engine.device != "cpu" else WorkerProcess(Init(own, Script()))

    async with running_pool(make_worker, NEVER_UP) as pool:
        assert await answer(pool) == ""
        assert [own.engine.device for own in settings] == ["auto", "cpu"]
        assert pool.health().notice == "The engine worker lost its card. The model runs on the CPU until that is over."
