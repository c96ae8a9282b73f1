"""The host's life with real processes: shared, found again, mended after a crash, gone when idle. Scripted answers."""

import os
import signal
import threading
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
def short_life(heron_home: Path) -> Path:
    """A home whose host leaves after a second without a request."""
    (heron_home / "config.toml").write_text("[host]\nidle_timeout_s = 1\n")
    return heron_home


async def ask(folder: Path) -> Offer:
    document = open_document(folder / "a.py", "x = ")
    async with open_client(folder) as client:
        await client.wait_ready(lambda health: None)
        return await client.complete(Cursor(document, document.position(4)))


def host_process(home: Path) -> psutil.Process:
    record = read_record(home)
    assert record is not None
    return psutil.Process(record.pid)


async def test_a_second_editor_finds_the_host_of_the_first(short_life: Path, tmp_path: Path) -> None:
    assert (await ask(tmp_path)).text == SCRIPTED_ANSWER
    first = host_process(short_life)
    assert (await ask(tmp_path)).text == SCRIPTED_ANSWER
    assert host_process(short_life) == first
    first.wait(WAIT_S)


def test_many_starters_get_one_host(short_life: Path) -> None:
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(ensure_host(short_life))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1
    host_process(short_life).wait(WAIT_S)


def test_it_leaves_when_idle_and_takes_its_files_along(short_life: Path) -> None:
    address = ensure_host(short_life)
    host_process(short_life).wait(WAIT_S)
    assert find_host(short_life) is None
    assert not Path(address.socket_path).exists()


async def test_after_a_kill_the_next_editor_starts_another(short_life: Path, tmp_path: Path) -> None:
    ensure_host(short_life)
    killed = host_process(short_life)
    killed.send_signal(signal.SIGKILL)
    killed.wait(WAIT_S)
    assert (await ask(tmp_path)).text == SCRIPTED_ANSWER
    assert host_process(short_life) != killed
    host_process(short_life).wait(WAIT_S)


async def test_a_killed_worker_is_replaced(short_life: Path, tmp_path: Path) -> None:
    await ask(tmp_path)
    worker = host_process(short_life).children()[0]
    worker.kill()
    worker.wait(WAIT_S)
    assert (await ask(tmp_path)).text == SCRIPTED_ANSWER
    host_process(short_life).wait(WAIT_S)


def test_its_socket_is_for_its_user_alone(short_life: Path) -> None:
    address = ensure_host(short_life)
    assert fetch_health(address).state in ("starting", "loading", "ready")
    assert os.stat(address.socket_path).st_mode & 0o077 == 0
    host_process(short_life).wait(WAIT_S)


async def test_a_model_that_cannot_be_had_is_told_in_a_sentence(
    short_life: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HERON_ENGINE")
    monkeypatch.setenv("HERON_MODEL", "qwen2.5-coder-0.5b-instuct")
    with pytest.raises(ModelUnavailable, match=r"qwen2\.5-coder-0\.5b-instruct"):
        await ask(tmp_path)
    assert log_path(short_life).exists()
    host_process(short_life).wait(WAIT_S)
