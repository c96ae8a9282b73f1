"""The pool over real child processes that run a script in the place of a model."""

import asyncio
import os
import signal
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import pytest

from heron.errors import InvalidRequest, ModelNotReady, SystemFault, UnknownModel, WorkerCrashed
from heron.host.engine.engine import Engine
from heron.host.engine.pipe import Failure, Init, LoadFailed, write_message
from heron.host.engine.scripted import Reply, Rule, Script, ScriptedEngine
from heron.host.pool import MakeWorker, Pool, PoolLimits
from heron.host.recovery.breaker import BreakerLimits
from heron.host.recovery.watchdog import HangLimits
from heron.host.workers import InProcessWorker, Worker, WorkerProcess
from heron.settings import EngineSettings, Settings
from heron.wire import Delta, GenerateRequest, Sampling, TextPrompt

SCRIPT = Script(
    (
        Rule("hold", Reply("one two three four", hold_after=2)),
        Rule("mute", Reply("never", hold_after=0)),
        Rule("die", Reply("gone", exit_after=0)),
    ),
    Reply("the quick brown fox jumps over the lazy dog"),
)
NOW = BreakerLimits(first_backoff_s=0.0)
QUICK = PoolLimits(NOW)


class Lives:
    """Makes workers and remembers them; the first ones may be given."""

    def __init__(self, *first: Callable[[], Worker]) -> None:
        self.workers: list[Worker] = []
        self.settings: list[Settings] = []
        self.script = SCRIPT
        self._first = list(first)

    def __call__(self, settings: Settings) -> Worker:
        self.settings.append(settings)
        worker = self._first.pop(0)() if self._first else WorkerProcess(Init(Settings(), self.script))
        self.workers.append(worker)
        return worker

    @property
    def pid(self) -> int:
        worker = self.workers[-1]
        assert isinstance(worker, WorkerProcess)
        assert worker.pid is not None
        return worker.pid


@asynccontextmanager
async def running_pool(make_worker: MakeWorker, limits: PoolLimits = QUICK) -> AsyncIterator[Pool]:
    pool = Pool(Settings(), make_worker, limits)
    await pool.start()
    try:
        yield pool
    finally:
        await pool.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert not [task.get_name() for task in others]
        for worker in make_worker.workers if isinstance(make_worker, Lives) else ():
            assert not isinstance(worker, WorkerProcess) or worker.pid is None or not is_alive(worker.pid)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def python_worker(program: str) -> Callable[[], Worker]:
    """A worker that runs a few lines of Python."""
    return lambda: WorkerProcess(Init(Settings()), (sys.executable, "-c", textwrap.dedent(program)))


def text_request(text: str, max_tokens: int = 64) -> GenerateRequest:
    return GenerateRequest("r", TextPrompt(text), Sampling(max_tokens))


async def collect(engine: Engine, request: GenerateRequest) -> list[Delta]:
    async with aclosing(engine.generate(request)) as deltas:
        return [delta async for delta in deltas]


async def until(condition: Callable[[], bool]) -> None:
    """Let everybody else run until a condition holds."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.to_thread(lambda: None)


def joined(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas)


async def test_serves_a_request_from_a_child_process() -> None:
    async with running_pool(Lives()) as pool:
        engine = await pool.engine()
        deltas = await collect(engine, text_request("hello"))
        assert joined(deltas) == SCRIPT.otherwise.text
        assert deltas[-1].finish_reason == "stop"
        assert pool.health().state == "ready"
        assert engine.model == SCRIPT.model


async def test_serves_many_requests_at_once() -> None:
    async with running_pool(Lives()) as pool:
        engine = await pool.engine()
        requests = [text_request("hello", 1 + number % 9) for number in range(64)]
        answers = await asyncio.gather(*(collect(engine, request) for request in requests))
        for request, deltas in zip(requests, answers, strict=True):
            assert joined(deltas) == SCRIPT.otherwise.text[: 4 * request.sampling.max_tokens]
        assert pool.num_running == 0


async def test_answers_tokens_and_metrics() -> None:
    async with running_pool(Lives()) as pool:
        engine = await pool.engine()
        assert len(await engine.tokenize("12345")) == 2
        await collect(engine, text_request("hello"))
        assert (await engine.metrics())["requests_total"] == 1


async def test_carries_errors_of_a_request_over_the_pipe() -> None:
    async with running_pool(Lives()) as pool:
        engine = await pool.engine()
        with pytest.raises(InvalidRequest) as caught:
            await collect(engine, text_request("hello", 0))
        assert caught.value.param == "max_tokens"


async def test_leaving_a_stream_aborts_it_in_the_worker() -> None:
    async with running_pool(Lives()) as pool:
        engine = await pool.engine()
        async with aclosing(engine.generate(text_request("hold"))) as deltas:
            await anext(deltas)
            assert (await engine.metrics())["running_requests"] == 1
        assert (await engine.metrics())["running_requests"] == 0


async def test_cancelling_a_request_that_waits_aborts_it() -> None:
    async with running_pool(Lives()) as pool:
        engine = await pool.engine()
        task = asyncio.create_task(collect(engine, text_request("mute")))
        while not (await engine.metrics())["running_requests"]:
            pass
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await engine.metrics())["running_requests"] == 0
        assert pool.num_running == 0


async def test_a_stream_that_has_begun_goes_on_when_the_worker_is_killed() -> None:
    answer = "an answer of several tokens"
    scripts = iter([Script(otherwise=Reply(answer, exit_after=count)) for count in (2, 4)])
    lives = Lives(*(lambda: WorkerProcess(Init(Settings(), next(scripts))) for _ in range(2)))
    lives.script = Script(otherwise=Reply(answer))
    async with running_pool(lives) as pool:
        deltas = await collect(await pool.engine(), text_request("hello"))
        assert joined(deltas) == answer
        assert pool.num_crashes == 2
        assert [delta.finish_reason for delta in deltas].count("stop") == 1


async def test_a_stream_whose_answer_changes_fails() -> None:
    first = Script(otherwise=Reply("an answer of several tokens", exit_after=2))
    lives = Lives(lambda: WorkerProcess(Init(Settings(), first)))
    async with running_pool(lives) as pool:
        with pytest.raises(WorkerCrashed, match="could not be gone on with"):
            await collect(await pool.engine(), text_request("hello"))


async def test_a_request_without_a_delta_is_tried_again_on_the_next_worker() -> None:
    first = Script(otherwise=Reply("never", exit_after=0))
    lives = Lives(lambda: WorkerProcess(Init(Settings(), first)))
    async with running_pool(lives) as pool:
        assert joined(await collect(await pool.engine(), text_request("hello"))) == SCRIPT.otherwise.text
        assert len(lives.workers) == 2


async def test_a_request_that_kills_two_workers_fails() -> None:
    async with running_pool(Lives()) as pool:
        engine = await pool.engine()
        with pytest.raises(WorkerCrashed):
            await collect(engine, text_request("die"))
        assert joined(await collect(engine, text_request("hello"))) == SCRIPT.otherwise.text


async def test_a_crash_at_start_is_followed_by_another_start() -> None:
    lives = Lives(python_worker("import os; os.kill(os.getpid(), 9)"))
    async with running_pool(lives) as pool:
        assert joined(await collect(await pool.engine(), text_request("hello"))) == SCRIPT.otherwise.text


async def test_gives_up_after_too_many_crashes_with_a_sentence() -> None:
    crash = python_worker("raise SystemExit(3)")
    async with running_pool(lambda _: crash(), PoolLimits(replace(NOW, max_vain=3))) as pool:
        with pytest.raises(WorkerCrashed, match=r"ended 3 times in a row without an answer\..* with status 3"):
            await pool.engine()
        assert pool.health().state == "failed"
        assert "tried again by the first request after 30 s; see heron doctor" in pool.health().message


async def test_starts_anew_when_asked_long_enough_after_a_failure() -> None:
    lives = Lives(python_worker("raise SystemExit(3)"))
    async with running_pool(lives, PoolLimits(replace(NOW, max_vain=1, retry_s=0.0))) as pool:
        with pytest.raises(WorkerCrashed):
            await pool.current_engine()
        assert joined(await collect(await pool.engine(), text_request("hello"))) == SCRIPT.otherwise.text


async def test_a_model_that_cannot_be_loaded_is_not_tried_over_and_over() -> None:
    line = write_message(LoadFailed(Failure("model_not_found", "No model 'x'.", "Did you mean 'y'?")))
    worker = python_worker(f"import sys; sys.stdout.buffer.write({line!r}); sys.stdout.flush(); sys.stdin.read()")
    async with running_pool(lambda _: worker()) as pool:
        with pytest.raises(UnknownModel, match="Did you mean 'y'"):
            await pool.engine()
        assert pool.num_crashes == 0
        assert pool.health().message == "No model 'x'. Did you mean 'y'?"


async def test_a_command_that_does_not_exist_is_a_fault_with_a_sentence() -> None:
    async with running_pool(lambda _: WorkerProcess(Init(Settings()), ("/no/such/program",))) as pool:
        with pytest.raises(SystemFault, match="could not be started"):
            await pool.engine()


async def test_a_worker_that_talks_nonsense_is_killed() -> None:
    async with running_pool(Lives(python_worker("print('hi', flush=True); input(); input()"))) as pool:
        assert joined(await collect(await pool.engine(), text_request("hello"))) == SCRIPT.otherwise.text
        assert pool.num_crashes == 1


async def test_a_busy_worker_that_stops_answering_is_killed() -> None:
    lives = Lives()
    async with running_pool(lives, PoolLimits(NOW, HangLimits(heartbeat_s=0.01, stall_s=0.5))) as pool:
        engine = await pool.engine()
        async with aclosing(engine.generate(text_request("hold"))) as deltas:
            await anext(deltas)
            os.kill(lives.pid, signal.SIGSTOP)
            going_on = asyncio.create_task(anext(deltas))
            await until(lambda: len(lives.workers) == 2)
            going_on.cancel()
            await asyncio.gather(going_on, return_exceptions=True)
        assert joined(await collect(engine, text_request("hello"))) == SCRIPT.otherwise.text


async def test_a_worker_stuck_in_one_step_is_killed_and_told_apart_from_a_slow_one() -> None:
    class Slow(ScriptedEngine):
        async def metrics(self) -> dict[str, float]:
            return await super().metrics() | {"current_step_s": 5.0, "longest_step_s": longest_s}

    limits = PoolLimits(NOW, HangLimits(heartbeat_s=0.01, stuck_s=1.0, stuck_factor=10.0))
    longest_s = 1.0
    async with running_pool(Lives(lambda: InProcessWorker(Slow(SCRIPT))), limits) as pool:
        engine = await pool.engine()
        async with aclosing(engine.generate(text_request("hold"))) as deltas:
            await anext(deltas)
            await until(lambda: pool.num_beats > 3)
            assert pool.num_crashes == 0
            longest_s = 0.1
            await until(lambda: pool.num_crashes == 1)
            assert "was stuck in one step for 5 s and was killed" in pool.health().message


async def test_a_model_nobody_asks_for_is_unloaded_and_loaded_again_for_the_next_request() -> None:
    lives = Lives()
    pool = Pool(Settings(engine=EngineSettings(idle_unload_s=0.2)), lives, QUICK)
    await pool.start()
    engine = await pool.engine()
    await collect(engine, text_request("hello"))
    first = lives.pid
    await until(lambda: not is_alive(first))
    health = pool.health()
    assert (health.state, health.model) == ("ready", SCRIPT.model.id)
    assert "Unloaded after 0.2 s" in health.message
    assert await pool.metrics() == {"loaded": 0.0, "loads_total": 1, "worker_crashes_total": 0, "degraded": 0.0}
    assert (await pool.engine()).model == SCRIPT.model
    assert len(lives.workers) == 1
    assert joined(await collect(engine, text_request("hello"))) == SCRIPT.otherwise.text
    assert len(lives.workers) == 2
    assert (await pool.metrics())["loads_total"] == 2
    await pool.close()


async def test_a_model_in_use_is_not_unloaded() -> None:
    lives = Lives()
    pool = Pool(Settings(engine=EngineSettings(idle_unload_s=0.01)), lives, QUICK)
    await pool.start()
    async with aclosing((await pool.engine()).generate(text_request("hold"))) as deltas:
        await anext(deltas)
        began = time.monotonic()
        await until(lambda: time.monotonic() - began > 0.05)
        assert (await pool.metrics())["loaded"] == 1.0
    await pool.close()


async def test_closing_an_unloaded_pool_fails_what_waits() -> None:
    pool = Pool(Settings(engine=EngineSettings(idle_unload_s=0.01)), Lives(), QUICK)
    await pool.start()
    engine = await pool.engine()
    await until(lambda: "Unloaded" in pool.health().message)
    waiting = asyncio.create_task(collect(engine, text_request("hello")))
    await asyncio.sleep(0)
    await pool.close()
    with pytest.raises((ModelNotReady, WorkerCrashed)):
        await waiting


async def test_waiting_for_a_model_ends_after_a_timeout() -> None:
    waiting = python_worker("input(); input()")
    async with running_pool(lambda _: waiting()) as pool:
        with pytest.raises(ModelNotReady):
            await pool.engine(timeout_s=0.01)


async def test_closing_fails_what_waits() -> None:
    worker = python_worker("input(); input()")
    pool = Pool(Settings(), lambda _: worker(), QUICK)
    await pool.start()
    waiting = asyncio.create_task(pool.engine())
    await asyncio.sleep(0)
    await pool.close()
    with pytest.raises(ModelNotReady):
        await waiting


async def test_runs_an_engine_of_this_process() -> None:
    engine = ScriptedEngine("hello")
    async with running_pool(lambda _: InProcessWorker(engine)) as pool:
        assert joined(await collect(await pool.engine(), text_request("x"))) == "hello"
    assert engine.closed


async def test_a_worker_ends_when_its_host_is_killed() -> None:
    host = """
        import asyncio
        from heron.host.engine.pipe import Init
        from heron.host.engine.scripted import Script
        from heron.host.workers import WorkerProcess
        from heron.settings import EngineSettings, Settings

        async def main():
            worker = WorkerProcess(Init(Settings(), Script()))
            await worker.start(lambda health: None)
            print(worker.pid, flush=True)
            await worker.wait_ended()

        asyncio.run(main())
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(host), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    worker_pid = int(await process.stdout.readline())
    worker = os.pidfd_open(worker_pid)
    process.kill()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(worker, ended.set)
    await asyncio.wait_for(ended.wait(), 10)
    asyncio.get_running_loop().remove_reader(worker)
    os.close(worker)
    await process.wait()
