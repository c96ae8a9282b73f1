"""A library like MLC-LLM's, run by our own scheduler on TVM alone, against the float32 reference of its weights."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heron.errors import CorruptModel, HeronError, InvalidSettings, ResourceError
from heron.host.compiler.mlc_probe import Device, bytecode_version, probe_library
from heron.host.compiler.reference import reference_logits
from heron.host.engine.backend_load import load_backend
from heron.host.engine.local_engine import LocalEngine
from heron.host.engine.mlc_direct import load_direct
from heron.host.engine.mlc_job import MlcJob
from heron.host.engine.mlc_machine import MlcMachine, MlcSizes
from heron.host.engine.mlc_runner import MlcRunner
from heron.host.engine.mlc_survey import MlcOffer
from heron.host.engine.runner import Float32
from heron.host.models.mlc_file import open_mlc
from heron.settings import EngineSettings, MlcSettings, ModelSettings, Settings
from heron.wire import Delta, GenerateRequest, Sampling, TextPrompt
from mlc_libraries import MOST_SEQUENCES, MOST_TOKENS, compile_llama
from mlc_models import make_library, make_mlc_folder
from mlc_package import has_real_package
from unit.host.engine.batches import Part, make_batch

CPU = Device("cpu", 0, "", 0)
IDS = np.random.default_rng(0).integers(0, 100, 48).tolist()
SETTINGS = Settings(engine=EngineSettings(cache_tokens=256, context_window=256))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_mlc_folder(tmp_path_factory.mktemp("mlc") / "tiny", "q0f32")


@pytest.fixture(scope="module")
def library(folder: Path) -> Path:
    return compile_llama(folder, folder.with_name("tiny.so"))


@pytest.fixture(scope="module")
def told(library: Path) -> dict[str, Any]:
    """What the library says of itself."""
    return probe_library(library)


def reference(folder: Path, ids: list[int]) -> Float32:
    """Logits of every token."""
    logits: Float32 = reference_logits(open_mlc(folder), np.array([ids], np.int32))[0]
    return logits


def test_every_way_of_running_has_the_references_logits(folder: Path, library: Path) -> None:
    """All tokens, the last only, one at a time, two sequences at once, forks, and more rows than are planned."""
    machine = MlcMachine(library, folder, CPU, MlcSizes(MOST_SEQUENCES, MOST_TOKENS, 512))
    wanted = reference(folder, IDS)
    runner = MlcRunner(machine, wanted.shape[1], 16)
    found = [
        runner.run(make_batch(Part(IDS[:20], [0, 1]), rows=[19])),
        runner.run(make_batch(Part(IDS[20:21], [0, 1], 20))),
    ]
    runner.copy_page(1, 2)
    found += [
        runner.run(make_batch(Part(IDS[18:20], [0, 2], 18), Part(IDS[21:23], [0, 1], 21), rows=[1, 3])),
        runner.run(make_batch(Part(IDS[20:21], [0, 2], 20), Part(IDS[23:24], [0, 1], 23))),
        runner.run(make_batch(Part(IDS[24:44], [0, 1, 3], 24))),
        runner.run(make_batch(Part(IDS[34:40], [0, 1, 3], 34), rows=range(1, 6))),
    ]
    places = [19, 20, 19, 22, 20, 23, *range(24, 44), *range(35, 40)]
    np.testing.assert_allclose(np.concatenate(found), wanted[places], atol=2e-3)
    assert runner.run(make_batch(Part(IDS[40:42], [0, 1, 3], 40), rows=[])).shape == (0, wanted.shape[1])
    runner.close()
    with pytest.raises(ResourceError, match="unloaded"):
        machine.add(99)


def make_job(folder: Path, told: dict[str, Any] | None = None, settings: Settings = SETTINGS) -> MlcJob:
    """A job whose library says what is given; without that it is asked."""
    read = probe_library if told is None else lambda path: told
    return MlcJob("tiny", folder, settings, MlcOffer("", (CPU,)), "mlc.library names it.", read)


@pytest.fixture
async def engine(folder: Path, library: Path, told: dict[str, Any]) -> AsyncIterator[LocalEngine]:
    engine = load_direct(make_job(folder, told), library, lambda said: None)
    yield engine
    await engine.close()


async def answer(engine: LocalEngine, text: str, sampling: Sampling) -> tuple[list[int], Delta]:
    """The token ids, and the last delta."""
    request = GenerateRequest("r", TextPrompt(text), sampling)
    deltas = [delta async for delta in engine.generate(request)]
    return [token_id for delta in deltas for token_id in delta.token_ids], deltas[-1]


async def test_it_answers_greedily_as_the_reference_would(folder: Path, engine: LocalEngine) -> None:
    """One after the other and all at once, their beginnings cached or not."""
    text = "def x():\n    return x"
    first, end = await answer(engine, text, Sampling(max_tokens=24))
    prompt = await engine.tokenize(text)
    assert first == greedy(folder, prompt, 24)
    assert (cached(end), end.finish_reason) == (0, "length")
    again, end = await answer(engine, text, Sampling(max_tokens=24))
    assert (again, cached(end)) == (first, len(prompt) - 1)
    others = [text[:-1], text + "\n", text, "import x", "if x:"]
    together = await asyncio.gather(*(answer(engine, other, Sampling(max_tokens=8)) for other in others))
    for other, (found, _) in zip(others, together, strict=True):
        assert found == greedy(folder, await engine.tokenize(other), len(found))


async def test_leaving_a_stream_frees_what_others_need(engine: LocalEngine) -> None:
    async with aclosing(engine.generate(GenerateRequest("r", TextPrompt("x"), Sampling(max_tokens=99)))) as deltas:
        await anext(deltas)
    whole = [await answer(engine, f"{index}" * 200, Sampling(max_tokens=4)) for index in range(3)]
    assert all(end.finish_reason == "length" for _, end in whole)


@pytest.mark.skipif(has_real_package(), reason="the real package runs it")
async def test_a_worker_runs_the_library_that_the_settings_name(folder: Path, library: Path) -> None:
    said: list[str] = []
    settings = replace(SETTINGS, model=ModelSettings(name=f"mlc:{folder}"), mlc=MlcSettings(library=str(library)))
    engine = load_backend(settings, lambda health: said.append(health.message))
    assert engine.model.place == "The library tiny.so runs on cpu:0 by Heron's own engine: mlc.library names it."
    assert said[-2:] == [
        "Looking at the library tiny.so",
        f"Loading {engine.model.id} on cpu:0, by the library tiny.so",
    ]
    await engine.close()


def cached(end: Delta) -> int:
    assert end.usage is not None
    return end.usage.cached_tokens


def greedy(folder: Path, prompt: list[int], count: int) -> list[int]:
    ids = list(prompt)
    for _ in range(count):
        ids.append(int(reference(folder, ids)[-1].argmax()))
    return ids[len(prompt) :]


def test_a_library_of_another_tvm_is_refused_with_both_versions(folder: Path, library: Path, tmp_path: Path) -> None:
    content = library.read_bytes()
    version = bytecode_version(content)
    other = tmp_path / "other.so"
    other.write_bytes(content.replace(version.encode(), b"9" * len(version)))
    with pytest.raises(CorruptModel, match=rf"other.so cannot be loaded. TVM [\w.]+ .*{'9' * len(version)}.*{version}"):
        load_direct(make_job(folder), other, lambda said: None)


@pytest.mark.parametrize(
    ("metadata", "settings", "kind", "words"),
    [
        ({"quantization": "q4f16_1"}, SETTINGS, CorruptModel, "the library is for quantization 'q4f16_1'"),
        ({"kv_state_kind": "rnn_state"}, SETTINGS, InvalidSettings, "keeps its state as 'rnn_state'"),
        ({"tensor_parallel_shards": 2}, SETTINGS, InvalidSettings, "spreads the model over 2 devices"),
        ({"device_kind": "cuda"}, SETTINGS, ResourceError, "engine.device is cuda, .* Found: cpu:0"),
        ({"device_kind": "vulkan"}, replace(SETTINGS, engine=EngineSettings(device="cpu")), ResourceError,
         "engine.device is cpu, and the library .*tiny.so was compiled for vulkan"),
        ({}, replace(SETTINGS, engine=EngineSettings(kv_cache="int8")), InvalidSettings, "engine.kv_cache: int8"),
    ],
)  # fmt: skip
def test_what_it_cannot_run_is_named(
    folder: Path, told: dict[str, Any], metadata: dict[str, Any], settings: Settings, kind: type[HeronError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        load_direct(make_job(folder, told | metadata, settings), Path("tiny.so"), lambda said: None)


def test_a_library_without_a_kv_cache_is_refused(folder: Path, tmp_path: Path) -> None:
    bare = make_library(tmp_path / "bare.so", {"quantization": "q0f32"})
    with pytest.raises(CorruptModel, match=r"bare.so has no function embed; it is none of a chat model"):
        load_direct(make_job(folder, {"device_kind": "cpu"}), bare, lambda said: None)
