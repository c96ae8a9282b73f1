"""One contract for every engine there is: Heron's own, MLC-LLM's, a remote server, and the scripted one.

Where the package mlc_llm is not installed its stand-in takes its place, and the test's name says so.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from inspect import getsource
from pathlib import Path

import pytest

from heron.errors import InvalidRequest, PromptTooLong
from heron.host.engine.admission import AdmissionLimits
from heron.host.engine.engine import Engine
from heron.host.engine.mlc_engine import MlcEngine, MlcStart, start_mlc
from heron.host.engine.mlc_tokenizer import read_tokenizer
from heron.host.engine.remote_engine import RemoteEngine
from heron.host.engine.scheduler import SchedulerLimits
from heron.host.engine.scripted import ScriptedEngine
from heron.host.pool import Pool
from heron.settings import EngineSettings, ModelSettings, Settings
from heron.wire import Delta, GenerateRequest, ModelInfo, Priority, Sampling, TextPrompt
from homes import SMALL
from mlc_folders import MlcWriter, write_mlc_folder, write_tokenizer
from mlc_package import has_real_package, package
from protocol.tcp_host import serving
from real_models import open_engine

MLC = "mlc" if has_real_package() else "mlc-stand-in"
SCRIPT = "def total(values):\n    return sum(values) / len(values)\n\n" * 8
PROMPT = TextPrompt(getsource(asyncio.queues)[:1200])
WINDOW = 2048


@dataclass(frozen=True)
class Subject:
    """An engine, and what can be expected of it beyond the contract."""

    name: str
    engine: Engine
    caches: bool = True
    has_queue: bool = True
    """whether it runs one request at a time and orders those that wait"""


@pytest.fixture(scope="module")
def mlc_folder(stored_models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SmolLM2 as a folder of MLC-LLM's."""
    folder = tmp_path_factory.mktemp("mlc") / "smollm2-q4f16_1"
    write_mlc_folder(stored_models[SMALL], folder, MlcWriter("q4f16_1"))
    write_tokenizer(stored_models[SMALL], folder)
    return folder


@pytest.fixture(params=["tvm", "tvm-of-mlc", "remote", "scripted", MLC])
async def subject(
    request: pytest.FixtureRequest, real_home: Path, mlc_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Subject]:
    name: str = request.param
    async with AsyncExitStack() as stack:
        if name == "scripted":
            yield Subject(name, ScriptedEngine(SCRIPT), caches=False, has_queue=False)
        elif name.startswith("mlc"):
            stack.enter_context(package(monkeypatch))
            yield Subject(name, await stack.enter_async_context(open_mlc_engine(mlc_folder)))
        else:
            model = f"mlc:{mlc_folder}" if name == "tvm-of-mlc" else SMALL
            limits, settings = SchedulerLimits(max_running=1), EngineSettings(context_window=WINDOW)
            engine = await stack.enter_async_context(open_engine(real_home, model, settings, limits))
            if name == "remote":
                address = (await stack.enter_async_context(serving(real_home, engine))).address
                settings = replace(settings, remote_url=address.base_url, remote_token=address.token)
                info = ModelInfo(engine.model.id, WINDOW)
                yield Subject(name, RemoteEngine(info, settings, is_heron=True), has_queue=False)
            else:
                yield Subject(name, engine)


@asynccontextmanager
async def open_mlc_engine(folder: Path) -> AsyncIterator[MlcEngine]:
    options = {"max_num_sequence": 1, "max_single_sequence_length": WINDOW, "max_total_sequence_length": 2 * WINDOW}
    start = MlcStart(str(folder), "cpu", None, "interactive", options)
    backend = await asyncio.to_thread(start_mlc, start)
    engine = MlcEngine(backend, read_tokenizer(folder), ModelInfo("mlc", WINDOW), AdmissionLimits(max_running=1))
    try:
        yield engine
    finally:
        await engine.close()


async def ask(subject: Subject, sampling: Sampling, request_id: str = "r", priority: Priority = "chat") -> list[Delta]:
    request = GenerateRequest(request_id, PROMPT, sampling, priority)
    async with aclosing(subject.engine.generate(request)) as deltas:
        return [delta async for delta in deltas]


async def wait_until(subject: Subject, name: str, value: int) -> None:
    """Wait until a number of the engine's is a certain one."""
    async with asyncio.timeout(20):
        async for found in readings(subject, name):
            if found == value:
                return


async def readings(subject: Subject, name: str) -> AsyncIterator[float]:
    while True:
        yield (await subject.engine.metrics())[name]
        await asyncio.sleep(0)


async def test_a_worker_serves_a_folder_of_mlc_by_our_own_engine(real_home: Path, mlc_folder: Path) -> None:
    engine_settings = EngineSettings(context_window=WINDOW)
    pool = Pool(Settings(model=ModelSettings(name=f"mlc:{mlc_folder}"), engine=engine_settings))
    await pool.start()
    try:
        deltas = await ask(Subject("worker", await pool.engine()), Sampling(max_tokens=8))
        assert text_of(deltas)
        assert pool.health().message.endswith("Heron's own engine runs this model.")
    finally:
        await pool.close()


async def test_a_worker_forwards_to_a_remote_server(real_home: Path) -> None:
    async with serving(real_home, ScriptedEngine(SCRIPT)) as endpoint:
        remote = EngineSettings(remote_url=endpoint.address.base_url, remote_token=endpoint.address.token)
        pool = Pool(Settings(engine=remote))
        await pool.start()
        try:
            engine = await pool.engine()
            assert (engine.model.id, engine.model.supports_fim) == ("scripted", True)
            assert text_of(await ask(Subject("worker", engine), Sampling(max_tokens=4))) == SCRIPT[:16]
            assert pool.health().message.endswith("engine.remote_url names a server.")
            assert (await pool.metrics())["remote_up"] == 1.0
        finally:
            await pool.close()


def text_of(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas)


async def test_greedy_answers_are_equal_streamed_and_cached(subject: Subject) -> None:
    first, second = [await ask(subject, Sampling(max_tokens=24)) for _ in range(2)]
    assert text_of(first) == text_of(second) != ""
    assert [delta.finish_reason for delta in first][:-1] == [None] * (len(first) - 1)
    assert len(first) > 2
    usage, again = first[-1].usage, second[-1].usage
    assert usage is not None
    assert again is not None
    assert 0 < usage.completion_tokens <= 24
    assert again.prompt_tokens == usage.prompt_tokens > 100
    assert not subject.caches or again.cached_tokens >= usage.prompt_tokens - 32 > usage.cached_tokens


async def test_an_answer_ends_at_its_limit_or_before_a_stop_string(subject: Subject) -> None:
    whole = await ask(subject, Sampling(max_tokens=12))
    assert whole[-1].finish_reason == "length"
    text = text_of(whole)
    stop = text[7:10]
    cut = await ask(subject, Sampling(max_tokens=12, stop=(stop,)))
    assert text_of(cut) == text[: text.find(stop)]
    assert cut[-1].finish_reason == "stop"


async def test_leaving_the_stream_frees_the_place(subject: Subject) -> None:
    long = GenerateRequest("long", PROMPT, Sampling(max_tokens=500))
    async with aclosing(subject.engine.generate(long)) as deltas:
        assert (await anext(deltas)).finish_reason is None
        assert (await subject.engine.metrics())["running_requests"] == 1
    await wait_until(subject, "running_requests", 0)
    assert text_of(await ask(subject, Sampling(max_tokens=4)))


async def test_what_is_wrong_is_named_and_harms_nobody(subject: Subject) -> None:
    with pytest.raises(InvalidRequest, match="temperature: 9"):
        await ask(subject, Sampling(temperature=9.0))
    with pytest.raises(InvalidRequest, match="max_tokens: 0"):
        await ask(subject, Sampling(max_tokens=0))
    if subject.name != "scripted":
        long = GenerateRequest("long", TextPrompt("word " * 3 * WINDOW))
        with pytest.raises(PromptTooLong, match=str(WINDOW - 1)):
            async with aclosing(subject.engine.generate(long)) as deltas:
                await anext(deltas)
    assert text_of(await ask(subject, Sampling(max_tokens=4)))


async def test_many_at_once_are_answered_as_one_by_one(subject: Subject) -> None:
    alone = text_of(await ask(subject, Sampling(max_tokens=8)))
    beside = await asyncio.gather(*(ask(subject, Sampling(max_tokens=8), f"r{index}") for index in range(4)))
    assert [text_of(deltas) for deltas in beside] == [alone] * 4


async def test_completions_go_before_chats_and_these_before_background_work(subject: Subject) -> None:
    if not subject.has_queue:
        pytest.skip("it has no queue of its own")
    ended: list[str] = []

    async def run(name: str, priority: Priority) -> None:
        await ask(subject, Sampling(max_tokens=4), name, priority)
        ended.append(name)

    async with aclosing(
        subject.engine.generate(GenerateRequest("first", PROMPT, Sampling(max_tokens=400), "completion"))
    ) as deltas:
        await anext(deltas)
        tasks = [asyncio.create_task(run(name, name)) for name in ("background", "chat", "completion")]
        await wait_until(subject, "waiting_requests", 3)
    await asyncio.gather(*tasks)
    assert ended == ["completion", "chat", "background"]
