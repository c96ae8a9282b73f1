"""MLC-LLM in a real worker process: served through the pool, and killed where its constructor hangs.

The package is the stand-in's, the library is one that TVM loads.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from heron.errors import LoadHung
from heron.host.pool import Pool
from heron.settings import EngineSettings, ModelSettings, Settings
from heron.wire import FimPrompt, GenerateRequest, Sampling
from mlc_models import make_library, make_mlc_folder
from mlc_package import has_real_package, package

pytestmark = pytest.mark.skipif(has_real_package(), reason="the library is the stand-in's")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_mlc_folder(tmp_path_factory.mktemp("mlc") / "tiny")
    make_library(folder / "tiny.so", {"quantization": "q4f16_1", "memory_usage": {"prefill": 1000}})
    return folder


@pytest.fixture
async def settings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Settings]:
    engine = EngineSettings(backend="mlc", device="cpu", context_window=256, load_timeout_s=60)
    with package(monkeypatch):
        yield Settings(model=ModelSettings(name=f"mlc:{folder}"), engine=engine)


async def test_it_serves(settings: Settings) -> None:
    pool = Pool(settings)
    await pool.start()
    try:
        engine = await pool.engine(60)
        assert engine.model.supports_fim
        assert "by MLC-LLM of unknown version: engine.backend says so." in pool.health().message
        request = GenerateRequest("r", FimPrompt("def x():\n    re", "\n"), Sampling(max_tokens=8))
        async with aclosing(engine.generate(request)) as deltas:
            parts = [delta async for delta in deltas]
        assert "".join(part.text for part in parts)
        assert parts[-1].usage is not None
        metrics = await pool.metrics()
        assert (metrics["loaded"], metrics["requests_total"], metrics["run_s_total"]) == (1.0, 1.0, 1.5)
    finally:
        await pool.close()


async def test_a_constructor_that_hangs_is_killed_and_explained(settings: Settings) -> None:
    """A KV cache that the device refuses, which no look at the files could tell."""
    pool = Pool(replace(settings, engine=replace(settings.engine, cache_tokens=2_000_000, load_timeout_s=10)))
    await pool.start()
    try:
        with pytest.raises(
            LoadHung, match=r"MLC-LLM of unknown version loads tiny on cpu:0.*files are whole.*KV cache"
        ):
            await pool.engine(60)
    finally:
        await pool.close()
