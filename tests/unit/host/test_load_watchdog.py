"""A worker that says nothing while it loads is killed, and the reason looked for in the model's files."""

import sys
from pathlib import Path

import pytest

from heron.errors import LoadHung
from heron.host.engine.pipe import HealthChanged, Init, write_message
from heron.host.pool import Pool
from heron.host.workers import WorkerProcess
from heron.settings import EngineSettings, ModelSettings, Settings
from heron.wire import Health
from mlc_models import make_mlc_folder

HANGS = "import sys; sys.stdin.readline(); sys.stdout.write({!r}); sys.stdout.flush(); sys.stdin.read(); input()"
LIMIT_S = 1.5
"""Long enough for a child to start and say a word on a busy machine."""


def hanging_worker(settings: Settings, message: str = "MLC-LLM 0.20 loads it on cpu:0") -> WorkerProcess:
    said = write_message(HealthChanged(Health("loading", "m", message))).decode()
    return WorkerProcess(Init(settings), (sys.executable, "-c", HANGS.format(said)))


def settings_of(model: str = "auto") -> Settings:
    return Settings(model=ModelSettings(name=model), engine=EngineSettings(load_timeout_s=LIMIT_S))


async def test_it_is_killed_and_what_it_did_last_is_told() -> None:
    worker = hanging_worker(settings_of(), "Packing weights.")
    with pytest.raises(
        LoadHung, match=r"it said nothing for 1\.5 s \(Packing weights\)\. Raise engine\.load_timeout_s"
    ):
        await worker.start(lambda health: None)
    assert "was killed by SIGKILL" in (await worker.wait_ended()).message
    await worker.close()


async def test_the_pool_does_not_start_it_again_and_again() -> None:
    workers = []

    def make_worker(settings: Settings) -> WorkerProcess:
        workers.append(hanging_worker(settings_of()))
        return workers[-1]

    pool = Pool(settings_of(), make_worker)
    await pool.start()
    with pytest.raises(LoadHung, match=r"The files are whole|KV cache that the device has no room for"):
        await pool.engine()
    assert pool.health().state == "failed"
    assert len(workers) == 1
    await pool.close()


async def test_a_damaged_shard_is_found(tmp_path: Path) -> None:
    folder = make_mlc_folder(tmp_path / "tiny")
    shard = sorted(folder.glob("params_shard_*.bin"))[0]
    content = bytearray(shard.read_bytes())
    content[100] ^= 1
    shard.write_bytes(content)
    worker = hanging_worker(settings_of(f"mlc:{folder}"))
    with pytest.raises(LoadHung, match=rf"{shard.name} is damaged: its md5 is \w+, not \w+"):
        await worker.start(lambda health: None)
    await worker.close()


async def test_whole_files_leave_the_device_to_be_suspected(tmp_path: Path) -> None:
    folder = make_mlc_folder(tmp_path / "tiny")
    worker = hanging_worker(settings_of(f"mlc:{folder}"))
    with pytest.raises(LoadHung, match=r"The files are whole\. MLC-LLM hangs, without an error, on .*cache_tokens"):
        await worker.start(lambda health: None)
    await worker.close()
