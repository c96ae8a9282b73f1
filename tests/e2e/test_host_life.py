"""The host's life with real processes: shared, found again, mended after a crash, gone when idle. Scripted answers."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from heron.app import SCRIPTED_ANSWER
from heron.commands.client import Cursor, Offer, open_client, open_document
from heron.discovery import ensure_host, fetch_health, find_host, log_path, read_record
from heron.errors import ModelUnavailable

WAIT_S = 30


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERON_ENGINE", "scripted")


@pytest.fixture
def home(heron_home: Path) -> Iterator[Path]:
    """A home whose host stays until the test has ended, however long a busy machine takes."""
    yield heron_home
    if read_record(heron_home) is not None:
        host = host_process(heron_home)
        host.terminate()
        host.wait(WAIT_S)


async def ask(folder: Path) -> Offer:
    document = open_document(folder / "a.py", "x = ")
    async with open_client(folder) as client:
        await client.wait_ready(lambda health: None)
        return await client.complete(Cursor(document, document.position(4)))


def host_process(home: Path) -> psutil.Process:
    record = read_record(home)
    assert record is not None
    return psutil.Process(record.pid)


async def test_a_second_editor_finds_the_host_of_the_first(home: Path, tmp_path: Path) -> None:
    assert (await ask(tmp_path)).text == SCRIPTED_ANSWER
    first = host_process(home)
    assert (await ask(tmp_path)).text == SCRIPTED_ANSWER
    assert host_process(home) == first


def test_many_starters_get_one_host(home: Path) -> None:
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(ensure_host(home))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1


def test_it_leaves_when_idle_and_takes_its_files_along(home: Path) -> None:
    (home / "config.toml").write_text("[host]\nidle_timeout_s = 3\n")
    address = ensure_host(home)
    host_process(home).wait(WAIT_S)
    assert find_host(home) is None
    assert not Path(address.socket_path).exists()


async def test_after_a_kill_the_next_editor_starts_another(home: Path, tmp_path: Path) -> None:
    ensure_host(home)
    killed = host_process(home)
    killed.send_signal(signal.SIGKILL)
    killed.wait(WAIT_S)
    assert (await ask(tmp_path)).text == SCRIPTED_ANSWER
    assert host_process(home) != killed


async def test_a_killed_worker_is_replaced(home: Path, tmp_path: Path) -> None:
    await ask(tmp_path)
    worker = host_process(home).children()[0]
    worker.kill()
    worker.wait(WAIT_S)
    assert (await ask(tmp_path)).text == SCRIPTED_ANSWER


def test_its_socket_is_for_its_user_alone(home: Path) -> None:
    address = ensure_host(home)
    assert fetch_health(address).state in ("starting", "loading", "ready")
    assert os.stat(address.socket_path).st_mode & 0o077 == 0


async def test_a_model_that_cannot_be_had_is_told_in_a_sentence(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HERON_ENGINE")
    monkeypatch.setenv("HERON_MODEL", "qwen2.5-coder-0.5b-instuct")
    with pytest.raises(ModelUnavailable, match=r"qwen2\.5-coder-0\.5b-instruct"):
        await ask(tmp_path)
    assert log_path(home).exists()
