"""The engine with its thread, over a fake runner and a real tokenizer."""

import asyncio
import math
import random
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import pytest

from heron.errors import InvalidRequest, Overloaded, PromptTooLong, SystemFault, WorkerCrashed
from heron.host.engine.draft import Drafter
from heron.host.engine.local_engine import MAX_FAILED_STEPS, EnginePolicy, LocalEngine
from heron.host.engine.merging import join_deltas
from heron.host.engine.runner import Batch, Float32
from heron.host.engine.scheduler import SchedulerLimits
from heron.host.engine.sliding import slide_tokens
from heron.settings import EngineSettings
from heron.wire import (
    ChatPrompt,
    Delta,
    FimPrompt,
    GenerateRequest,
    Message,
    ModelInfo,
    Prompt,
    Sampling,
    TextPrompt,
    TokenPrompt,
)
from unit.host.engine.byte_tokenizer import END, VOCAB_SIZE, make_byte_tokenizer
from unit.host.engine.fake_runner import FakeRunner, answer_of
from unit.host.engine.scripted_drafter import right_drafter

INFO = ModelInfo("fake", 128, supports_fim=True, supports_chat=True)


class GatedRunner(FakeRunner):
    """Waits before each step for as many permits as steps are allowed."""

    def __init__(self) -> None:
        super().__init__(64, 4, VOCAB_SIZE)
        self.permits = threading.Semaphore(0)
        self.is_open = False

    def run(self, batch: Batch) -> Float32:
        if not self.is_open:
            assert self.permits.acquire(timeout=30)
        return super().run(batch)

    def open(self) -> None:
        self.is_open = True
        self.permits.release()


@asynccontextmanager
async def running(
    runner: FakeRunner, limits: SchedulerLimits | None = None, drafter: Drafter | None = None, merge_s: float = 0.0
) -> AsyncIterator[LocalEngine]:
    policy = EnginePolicy(limits or SchedulerLimits(), drafter, merge_s=merge_s)
    engine = LocalEngine(runner, make_byte_tokenizer(), INFO, policy)
    try:
        yield engine
    finally:
        if isinstance(runner, GatedRunner):
            runner.open()
        await engine.close()
        assert runner.closed


def make_runner(num_pages: int = 64) -> FakeRunner:
    return FakeRunner(num_pages, 4, VOCAB_SIZE)


def make_request(prompt: Prompt, sampling: Sampling | None = None) -> GenerateRequest:
    return GenerateRequest("r", prompt, sampling or Sampling(max_tokens=8))


async def collect(engine: LocalEngine, request: GenerateRequest) -> list[Delta]:
    async with aclosing(engine.generate(request)) as deltas:
        return [delta async for delta in deltas]


def token_ids_of(deltas: list[Delta]) -> list[int]:
    return [token_id for delta in deltas for token_id in delta.token_ids]


def expected(prompt: list[int], max_tokens: int = 8) -> list[int]:
    return answer_of(prompt, max_tokens, VOCAB_SIZE, frozenset({END}))


async def used_pages(engine: LocalEngine) -> float:
    return (await engine.metrics())["used_pages"]


async def until(engine: LocalEngine, **values: float) -> None:
    """Wait until metrics have these values; the engine's thread is at work on it."""
    await until_metrics(engine, lambda metrics: all(metrics[name] == value for name, value in values.items()))


async def until_metrics(engine: LocalEngine, holds: Callable[[dict[str, float]], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds(await engine.metrics()):
            await asyncio.to_thread(lambda: None)


async def test_streams_the_answer_with_the_usage_so_far() -> None:
    async with running(make_runner()) as engine:
        deltas = await collect(engine, make_request(TextPrompt("def ")))
        assert token_ids_of(deltas) == expected(list(b"def "))
        assert [delta.finish_reason for delta in deltas[:-1]] == [None] * (len(deltas) - 1)
        assert deltas[-1].finish_reason == "length"
        assert deltas[-1].usage is not None
        assert deltas[-1].usage.completion_tokens == 8
        text = bytes(token_id for token_id in expected(list(b"def ")) if token_id < END)
        assert "".join(delta.text for delta in deltas) == text.decode("utf-8", errors="replace")


async def test_understands_every_kind_of_prompt() -> None:
    async with running(make_runner()) as engine:
        for prompt, token_ids in (
            (TextPrompt("ab"), [97, 98]),
            (TokenPrompt((97, 98, 3)), [97, 98, 3]),
            (FimPrompt("a\n", "b"), [257, 97, 258, 98, 259, 10]),
            (ChatPrompt((Message("user", "hi"),)), [104, 105, END]),
        ):
            assert token_ids_of(await collect(engine, make_request(prompt))) == expected(token_ids)


async def test_many_at_once_answer_as_alone() -> None:
    async with running(make_runner(128), SchedulerLimits(max_running=4)) as engine:
        prompts = [f"shared {number % 5}" for number in range(24)]
        answers = await asyncio.gather(*(collect(engine, make_request(TextPrompt(prompt))) for prompt in prompts))
        for prompt, deltas in zip(prompts, answers, strict=True):
            assert token_ids_of(deltas) == expected(list(prompt.encode()))
        assert await used_pages(engine) == 0


async def test_a_crowd_that_leaves_at_random_leaves_no_page_in_use() -> None:
    chance = random.Random(1)

    async def visit(engine: LocalEngine, number: int) -> None:
        prompt, stay = "ab" * chance.randint(1, 20), chance.randint(0, 10)
        sampling = Sampling(max_tokens=8, temperature=1.0, seed=number)
        async with aclosing(engine.generate(make_request(TextPrompt(prompt), sampling))) as deltas:
            while stay and (await anext(deltas)).finish_reason is None:
                stay -= 1

    async with running(
        make_runner(40), SchedulerLimits(max_running=6, max_waiting=1000, max_waiting_each=1000)
    ) as engine:
        visits = [asyncio.create_task(visit(engine, number)) for number in range(300)]
        for task in chance.sample(visits, 100):
            task.cancel()
            await asyncio.to_thread(lambda: None)
        await asyncio.gather(*visits, return_exceptions=True)
        await until(engine, used_pages=0, running_requests=0, waiting_requests=0)
        assert sum(not task.cancelled() and task.exception() is None for task in visits) >= 150
        assert token_ids_of(await collect(engine, make_request(TextPrompt("ab")))) == expected([97, 98])


async def test_says_how_much_of_the_prompt_was_cached() -> None:
    async with running(make_runner()) as engine:
        await collect(engine, make_request(TextPrompt("def long_name")))
        deltas = await collect(engine, make_request(TextPrompt("def long_names")))
        assert deltas[-1].usage is not None
        assert deltas[-1].usage.cached_tokens == 13


async def test_leaving_the_stream_frees_its_pages_within_a_step() -> None:
    runner = GatedRunner()
    async with running(runner) as engine:
        async with aclosing(engine.generate(make_request(TextPrompt("def "), Sampling(max_tokens=100)))) as deltas:
            runner.permits.release(1)
            await anext(deltas)
        runner.permits.release(1)
        await until(engine, used_pages=0, running_requests=0)
        assert runner.num_tokens_run <= 4 + 1


async def test_a_request_cancelled_in_the_queue_never_runs() -> None:
    runner = GatedRunner()
    async with running(runner, SchedulerLimits(max_running=1)) as engine:
        first = asyncio.create_task(collect(engine, make_request(TextPrompt("ab"), Sampling(max_tokens=2))))
        await until(engine, running_requests=1)
        second = asyncio.create_task(collect(engine, make_request(TextPrompt("cdefgh"))))
        await until(engine, requests_total=2)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        runner.open()
        await first
        assert runner.num_tokens_run == 2 + 1


async def test_refuses_when_the_queue_is_full() -> None:
    runner = GatedRunner()
    async with running(runner, SchedulerLimits(max_running=1, max_waiting=1)) as engine:
        tasks = [asyncio.create_task(collect(engine, make_request(TextPrompt("ab"))))]
        await until(engine, running_requests=1)
        tasks += [asyncio.create_task(collect(engine, make_request(TextPrompt("cd")))) for _ in range(2)]
        await until(engine, requests_total=3)
        runner.open()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(outcome, Overloaded) for outcome in outcomes] == [False, False, True]


async def test_a_failing_step_fails_what_was_in_flight_and_nothing_after() -> None:
    runner = make_runner()
    async with running(runner) as engine:
        runner.error = RuntimeError("device lost")
        with pytest.raises(SystemFault, match="RuntimeError: device lost"):
            await collect(engine, make_request(TextPrompt("ab")))
        runner.error = None
        assert token_ids_of(await collect(engine, make_request(TextPrompt("ab")))) == expected([97, 98])
        assert (await engine.metrics())["failed_steps_total"] == 1


async def test_an_engine_whose_steps_all_fail_ends_so_that_its_worker_is_replaced() -> None:
    runner = make_runner()
    async with running(runner) as engine:
        runner.error = RuntimeError("device lost")
        for _ in range(MAX_FAILED_STEPS - 1):
            with pytest.raises(SystemFault):
                await collect(engine, make_request(TextPrompt("ab")))
        for _ in range(2):
            with pytest.raises(WorkerCrashed):
                await collect(engine, make_request(TextPrompt("ab")))


async def test_what_is_cancelled_before_it_began_takes_no_step() -> None:
    runner = GatedRunner()
    async with running(runner, SchedulerLimits(max_running=1)) as engine:
        first = asyncio.create_task(collect(engine, make_request(TextPrompt("ab"), Sampling(max_tokens=1))))
        await until(engine, running_requests=1)
        second = asyncio.create_task(collect(engine, make_request(TextPrompt("cd" * 20))))
        await until(engine, requests_total=2)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        runner.open()
        await first
        await until(engine, running_requests=0, waiting_requests=0, used_pages=0)
        assert (await engine.metrics())["prefilled_tokens_total"] == 2


async def test_the_preamble_of_conversations_is_pinned() -> None:
    async with running(make_runner()) as engine:
        for question in ("one?" * 4, "two!" * 4):
            messages = (Message("system", "s" * 40), Message("user", question))
            await collect(engine, make_request(ChatPrompt(messages), Sampling(max_tokens=1)))
        assert (await engine.metrics())["pinned_pages"] >= 10


async def test_a_prompt_that_leaves_no_room_is_refused_with_both_lengths() -> None:
    async with running(make_runner()) as engine:
        with pytest.raises(PromptTooLong, match=r"128 .* 127"):
            await collect(engine, make_request(TextPrompt("x" * 128)))
        assert await used_pages(engine) == 0


async def test_a_prompt_beyond_the_window_slides_where_the_settings_say_so() -> None:
    text = "first " * 100 + "last " * 100
    policy = EnginePolicy(settings=EngineSettings(long_prompt="slide"))
    engine = LocalEngine(make_runner(), make_byte_tokenizer(), INFO, policy)
    deltas = await collect(engine, make_request(TextPrompt(text)))
    assert deltas[-1].usage is not None
    assert (deltas[-1].usage.prompt_tokens, deltas[-1].usage.completion_tokens) == (120, 8)
    kept = slide_tokens(list(text.encode()), 120)
    assert token_ids_of(deltas) == expected(kept)
    assert await used_pages(engine) == 0
    await engine.close()


async def test_the_answer_is_cut_where_the_window_ends() -> None:
    async with running(make_runner()) as engine:
        prompt = "x" * 127
        deltas = await collect(engine, make_request(TextPrompt(prompt), Sampling(max_tokens=50)))
        assert deltas[-1].finish_reason == "length"
        assert len(token_ids_of(deltas)) == 1


async def test_a_window_larger_than_the_cache_is_cut_to_it() -> None:
    async with running(make_runner(num_pages=8)) as engine:
        assert engine.model == replace(INFO, context_window=32)
        deltas = await collect(engine, make_request(TextPrompt("y" * 20), Sampling(max_tokens=50)))
        assert len(token_ids_of(deltas)) <= 12


async def test_a_long_fim_prompt_is_cut_to_leave_room_for_the_answer() -> None:
    async with running(make_runner()) as engine:
        prompt = FimPrompt("some line\n" * 50, "other line\n" * 50)
        deltas = await collect(engine, make_request(prompt, Sampling(max_tokens=40)))
        assert deltas[-1].usage is not None
        assert deltas[-1].usage.prompt_tokens <= 128 - 40


async def test_bad_sampling_is_refused_before_anything_runs() -> None:
    runner = make_runner()
    async with running(runner) as engine:
        with pytest.raises(InvalidRequest, match="temperature"):
            await collect(engine, make_request(TextPrompt("ab"), Sampling(temperature=3.0)))
        assert runner.num_tokens_run == 0


async def test_logprobs_name_the_tokens() -> None:
    async with running(make_runner()) as engine:
        deltas = await collect(engine, make_request(TextPrompt("ab"), Sampling(max_tokens=3, logprobs=2)))
        for delta in deltas:
            (shown,) = delta.logprobs
            assert (shown.token_id,) == delta.token_ids
            assert shown.top[0][1] == shown.token_id
            assert shown.logprob == shown.top[0][2] > shown.top[1][2]


async def test_closing_fails_what_is_in_flight_and_refuses_what_follows() -> None:
    runner = GatedRunner()
    async with running(runner) as engine:
        waiting = asyncio.create_task(collect(engine, make_request(TextPrompt("ab"))))
        await until(engine, running_requests=1)
        closing = asyncio.create_task(engine.close())
        await asyncio.sleep(0)
        runner.open()
        await closing
        with pytest.raises(WorkerCrashed):
            await waiting
        with pytest.raises(WorkerCrashed):
            await collect(engine, make_request(TextPrompt("ab")))


async def test_tells_how_long_the_present_step_takes() -> None:
    runner = GatedRunner()
    async with running(runner) as engine:
        assert (await engine.metrics())["current_step_s"] == 0
        task = asyncio.create_task(collect(engine, make_request(TextPrompt("ab"))))
        await until_metrics(engine, lambda metrics: metrics["current_step_s"] > 0)
        runner.open()
        await task


async def test_counts_tokens_of_a_text() -> None:
    async with running(make_runner()) as engine:
        assert await engine.tokenize("aé") == [97, 0xC3, 0xA9]


async def test_warms_up_on_the_thread_of_its_steps() -> None:
    class Noting(FakeRunner):
        threads: set[str]

        def run(self, batch: Batch) -> Float32:
            self.threads.add(threading.current_thread().name)
            return super().run(batch)

    runner = Noting(64, 4, VOCAB_SIZE)
    runner.threads = set()
    async with running(runner) as engine:
        engine.warm_up()
        assert runner.threads == {"engine"}
        assert (await engine.metrics())["steps_total"] == 0
        runner.error = RuntimeError("device lost")
        with pytest.raises(SystemFault, match="device lost"):
            engine.warm_up()


async def test_drafts_are_told_in_usage_and_metrics() -> None:
    async with running(make_runner(), drafter=right_drafter(lambda _: expected(list(b"def ")))) as engine:
        deltas = await collect(engine, make_request(TextPrompt("def ")))
        assert token_ids_of(deltas) == expected(list(b"def "))
        assert deltas[-1].usage is not None
        assert deltas[-1].usage.draft_tokens == deltas[-1].usage.accepted_draft_tokens == 5
        metrics = await engine.metrics()
        assert metrics["drafted_tokens_total"] == metrics["accepted_draft_tokens_total"] == 5


async def test_a_chat_is_the_same_in_fewer_deltas() -> None:
    """Text, tokens, log probabilities, stop strings and usage do not tell how the stream was cut."""
    sampling = Sampling(max_tokens=60, temperature=1.0, seed=3, stop=("e",), logprobs=1)
    single = make_request(TextPrompt("def "), sampling)
    async with running(make_runner(), merge_s=math.inf) as engine:
        await collect(engine, single)  # what is cached is told in the usage
        deltas = await collect(engine, single)
        merged = await collect(engine, replace(single, priority="chat"))
    assert join_deltas(merged) == join_deltas(deltas)
    assert len(deltas) == len(token_ids_of(deltas))
    assert [len(delta.token_ids) for delta in merged] == [1, len(deltas) - 1]


async def test_what_is_held_goes_out_before_another_prompt_is_read() -> None:
    runner = GatedRunner()
    async with running(runner, merge_s=math.inf) as engine, asyncio.timeout(20):
        chat = replace(make_request(TextPrompt("def ")), priority="chat")
        async with aclosing(engine.generate(chat)) as deltas:
            runner.permits.release(2)
            first = await anext(deltas)
            await until(engine, steps_total=2)
            other = asyncio.create_task(collect(engine, make_request(TextPrompt("abc"))))
            await until(engine, requests_total=2)
            runner.permits.release(1)  # the step that had begun before it came
            assert token_ids_of([first, await anext(deltas)]) == expected(list(b"def "))[:3]
            runner.open()
            assert token_ids_of(await other) == expected(list(b"abc"))


async def test_a_failing_step_comes_after_the_text_that_was_held() -> None:
    runner, came = GatedRunner(), list[Delta]()

    async def read(engine: LocalEngine) -> None:
        chat = replace(make_request(TextPrompt("def ")), priority="chat")
        async with aclosing(engine.generate(chat)) as deltas:
            async for delta in deltas:
                came.append(delta)

    async with running(runner, merge_s=math.inf) as engine:
        reading = asyncio.create_task(read(engine))
        runner.permits.release(3)
        await until(engine, steps_total=3)
        runner.error = RuntimeError("It broke.")
        runner.open()
        with pytest.raises(SystemFault):
            await reading
    assert token_ids_of(came) == expected(list(b"def "))[:3]


async def test_leaving_a_chat_forgets_what_is_held() -> None:
    runner = GatedRunner()
    async with running(runner, merge_s=math.inf) as engine:
        chat = replace(make_request(TextPrompt("def ")), priority="chat")
        async with aclosing(engine.generate(chat)) as deltas:
            runner.permits.release(2)
            await anext(deltas)
            await until(engine, steps_total=2)
        runner.open()
        await until(engine, used_pages=0, running_requests=0)
        async with asyncio.timeout(20):
            assert token_ids_of(await collect(engine, chat)) == expected(list(b"def "))
