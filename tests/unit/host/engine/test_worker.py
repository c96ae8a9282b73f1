"""The worker process itself: what it says on its pipe, and when it ends."""

import asyncio
import gc
import subprocess
import sys

import pytest

from heron.errors import UnknownModel, WorkerCrashed
from heron.host.engine.pipe import (
    Abort,
    Close,
    Generate,
    Init,
    Loaded,
    ReadMetrics,
    RequestFailed,
    WorkerMessage,
    read_worker_message,
    write_message,
)
from heron.host.engine.pipe_server import PipeServer
from heron.host.engine.scripted import Reply, Script, ScriptedEngine
from heron.host.pool import Pool
from heron.host.workers import worker_command
from heron.settings import Settings, parse_settings
from heron.wire import GenerateRequest, TextPrompt

INIT = Init(Settings(), Script(otherwise=Reply("hello")))


def run_worker(said: bytes) -> tuple[int, list[WorkerMessage]]:
    """Exit status and messages of a worker that is told this, after which its stdin closes."""
    done = subprocess.run(worker_command(), input=said, stdout=subprocess.PIPE, check=False, timeout=60)
    return done.returncode, [read_worker_message(line) for line in done.stdout.splitlines()]


def test_ends_when_its_stdin_closes() -> None:
    assert run_worker(b"") == (0, [])
    status, messages = run_worker(write_message(INIT))
    assert status == 0
    assert messages == [Loaded(Script().model)]


def test_ends_when_told_to() -> None:
    status, messages = run_worker(write_message(INIT) + write_message(Close()) + b"never read")
    assert status == 0
    assert messages == [Loaded(Script().model)]


@pytest.mark.parametrize("said", [b"hello\n", write_message(ReadMetrics("a"))])
def test_ends_with_an_error_when_spoken_to_wrongly(said: bytes) -> None:
    assert run_worker(said) == (1, [])


def test_what_libraries_print_does_not_reach_the_pipe() -> None:
    program = """
import os
from heron.host.engine.worker import _take_stdout
pipe = _take_stdout()
print("from python", flush=True)
os.system("echo from a child")
os.write(1, b"from C")
os.write(pipe, b"from us")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=60)
    assert done.stdout == b"from us"
    assert done.stderr.splitlines() == [b"from python", b"from a child", b"from C"]


async def test_a_model_that_does_not_exist_is_told_to_the_host() -> None:
    pool = Pool(parse_settings({"model": {"name": "qwen2.5-coder-0.6b-instruct"}}))
    await pool.start()
    try:
        with pytest.raises(UnknownModel, match=r"qwen2\.5-coder-0\.5b-instruct"):
            await pool.engine()
        assert pool.health().state == "failed"
    finally:
        await pool.close()


async def test_an_engine_that_breaks_fails_its_request_alone() -> None:
    def answer(request: GenerateRequest) -> str:
        raise ZeroDivisionError("division by zero")

    sent: list[WorkerMessage] = []
    server = PipeServer(ScriptedEngine(answer), sent.append)
    server.receive(Generate(GenerateRequest("a", TextPrompt("x"))))
    (task,) = server._tasks.values()
    await task
    (failed,) = sent
    assert isinstance(failed, RequestFailed)
    assert (failed.request_id, failed.failure.code) == ("a", "system_fault")
    assert "ZeroDivisionError" in failed.failure.message
    await server.close()


async def test_a_request_that_is_aborted_before_it_began_leaves_nothing() -> None:
    engine, sent = ScriptedEngine("x"), list[WorkerMessage]()
    server = PipeServer(engine, sent.append)
    server.receive(Generate(GenerateRequest("a", TextPrompt("x"))))
    server.receive(Abort("a"))
    await server.close()
    gc.collect()  # what was made and never awaited warns now
    assert (engine.requests, sent) == ([], [])


async def test_a_worker_whose_engine_has_broken_down_leaves() -> None:
    sent: list[WorkerMessage] = []
    left = asyncio.Event()
    server = PipeServer(
        ScriptedEngine(lambda request: WorkerCrashed("3 steps failed in a row.")), sent.append, lambda fault: left.set()
    )
    server.receive(Generate(GenerateRequest("a", TextPrompt("x"))))
    await asyncio.wait_for(left.wait(), 10)
    assert [type(message) for message in sent] == [RequestFailed]
    await server.close()
