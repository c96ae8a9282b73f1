"""A whole small decoder, compiled for each instruction set, against the float32 reference; and the runner's duties."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from heron.errors import InvalidSettings, OutOfMemory
from heron.host.compiler.artefact import ensure_artefact
from heron.host.compiler.manifest import read_manifest
from heron.host.compiler.reference import argmax_agreement, reference_logits
from heron.host.compiler.target import choose_target
from heron.host.engine.memory import resident_bytes
from heron.host.engine.tvm_engine import TvmRunner, load_runner, memory_need
from heron.host.models.gguf import open_gguf
from heron.settings import EngineSettings
from unit.host.compiler.tiny_decoders import TinyDecoder, write_decoder
from unit.host.engine.batches import Part, make_batch

IDS = np.random.default_rng(0).integers(0, 100, 75).tolist()
DECODERS = {
    "avx512-vnni": TinyDecoder(),
    "avx2": TinyDecoder(family="llama", num_heads=3, num_kv_heads=1, head_size=128, formats=("Q8_0", "Q5_0", "Q4_1")),
    "portable": TinyDecoder(family="llama", tied=True, formats=("Q8_0",)),
}
CACHE = {"cache_tokens": 512, "threads": 2}


@pytest.fixture(scope="module", params=list(DECODERS))
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A model file and its artefact."""
    settings = EngineSettings(instruction_set=request.param, **CACHE)
    try:
        choose_target(settings)
    except InvalidSettings as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp(request.param)
    model = write_decoder(folder / "tiny.gguf", DECODERS[request.param])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HERON_HOME", str(folder))
        return model, ensure_artefact(model, settings, lambda progress: None)


@pytest.fixture(scope="module")
def runner(built: tuple[Path, Path]) -> Iterator[TvmRunner]:
    runner = load_runner(built[1], EngineSettings(**CACHE))
    yield runner
    runner.close()
    runner.close()


@pytest.fixture(scope="module")
def prefill(runner: TvmRunner) -> npt.NDArray[np.float32]:
    """Logits of every token of IDS, run at once."""
    return runner.run(make_batch(Part(IDS, range(1, 6)))).copy()


def test_logits_are_the_reference_up_to_quantised_activations(
    built: tuple[Path, Path], prefill: npt.NDArray[np.float32]
) -> None:
    reference = reference_logits(open_gguf(built[0]), np.array([IDS], np.int32))[0]
    assert prefill.shape == reference.shape
    assert (prefill - reference).std() < 0.03 * reference.std()
    assert argmax_agreement(prefill, reference) >= 0.9


def test_chunks_and_single_tokens_give_the_same_bits(runner: TvmRunner, prefill: npt.NDArray[np.float32]) -> None:
    pages, position = range(10, 15), 0
    for length in (5, 1, 30, 1, 1, 16, 21):
        logits = runner.run(make_batch(Part(IDS[position : position + length], pages, position)))
        np.testing.assert_array_equal(logits, prefill[position : position + length])
        position += length
    assert position == len(IDS)


def test_a_batch_gives_each_sequence_the_bits_it_gets_alone(
    runner: TvmRunner, prefill: npt.NDArray[np.float32]
) -> None:
    alone = runner.run(make_batch(Part(IDS[40:60], range(8)))).copy()
    runner.run(make_batch(Part(IDS[:33], (20, 9, 14)), rows=[]))
    parts = Part(IDS[33:37], (20, 9, 14), 33), Part(IDS[40:60], (2, 7)), Part(IDS[:1], (5,))
    logits = runner.run(make_batch(*parts, rows=[3, 0, 23, 24]))
    np.testing.assert_array_equal(logits[:2], prefill[[36, 33]])
    np.testing.assert_array_equal(logits[2:], np.stack([alone[19], prefill[0]]))


def test_no_logits_are_run_for_when_none_are_wanted(runner: TvmRunner) -> None:
    assert runner.run(make_batch(Part(IDS[:20], (0, 1)), rows=[])).shape == (0, 100)
    assert runner.run(make_batch(Part(IDS[:1], (0,)), rows=[])).shape == (0, 100)


def test_a_copied_page_serves_as_the_original(runner: TvmRunner, prefill: npt.NDArray[np.float32]) -> None:
    runner.run(make_batch(Part(IDS[:20], (20, 21)), rows=[]))
    for source, target in ((20, 25), (21, 24)):
        runner.copy_page(source, target)
    runner.run(make_batch(Part(IDS[30:62], (20, 21)), rows=[]))
    logits = runner.run(make_batch(Part(IDS[20:21], (25, 24), 20)))
    np.testing.assert_array_equal(logits[0], prefill[20])


def test_the_caller_may_change_the_logits(runner: TvmRunner) -> None:
    first = runner.run(make_batch(Part(IDS[:1], (0,))))
    kept = first.copy()
    first[:] = -np.inf
    np.testing.assert_array_equal(runner.run(make_batch(Part(IDS[:1], (0,)))), kept)


def test_steps_of_all_sizes_take_the_memory_of_the_largest(runner: TvmRunner) -> None:
    """Logits lie in one place, and what a step computes between is planned for the largest.

    Memory for each size would be 274 MB here. Threads that come and go with the load of the machine take some too.
    """
    tokens = np.random.default_rng(1).integers(0, 100, 500).tolist()
    places = {runner.run(make_batch(Part(tokens, range(32)))).ctypes.data}
    before = resident_bytes()
    for seed in range(200):
        count = int(np.random.default_rng(seed).integers(1, 500))
        places.add(runner.run(make_batch(Part(tokens[:count], range(32)))).ctypes.data)
    assert len(places) == 1
    assert resident_bytes() - before < 100 << 20


def test_the_runner_tells_its_sizes(runner: TvmRunner) -> None:
    assert (runner.vocab_size, runner.page_size, runner.num_pages) == (100, 16, 32)
    assert runner.max_batch_tokens >= 256


def test_pages_take_the_memory_of_what_they_hold(built: tuple[Path, Path]) -> None:
    manifest = read_manifest(built[1])
    numbers = 2 * manifest.config.num_layers * manifest.config.num_kv_heads * manifest.config.head_size * 16
    assert memory_need(built[1]).page_bytes == numbers * np.dtype(manifest.attention.cache_dtype).itemsize


def test_a_cache_that_cannot_be_had_is_named(built: tuple[Path, Path]) -> None:
    with pytest.raises(OutOfMemory, match=r"KV cache .* Lower engine\.cache_tokens"):
        load_runner(built[1], EngineSettings(cache_tokens=1 << 62))


def test_without_a_c_compiler_the_jit_gives_the_same_bits(
    built: tuple[Path, Path],
    prefill: npt.NDArray[np.float32],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = EngineSettings(**CACHE)
    if read_manifest(built[1]).target != choose_target(settings).describe():
        pytest.skip("one instruction set is enough")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.delenv("CXX", raising=False)
    artefact = ensure_artefact(built[0], settings, lambda progress: None)
    assert read_manifest(artefact).library_kind == "llvm-ir"
    runner = load_runner(artefact, settings)
    np.testing.assert_array_equal(runner.run(make_batch(Part(IDS, range(1, 6)))), prefill)
    runner.close()


def test_threads_of_the_artefact_are_used(built: tuple[Path, Path], runner: TvmRunner) -> None:
    assert os.environ["TVM_NUM_THREADS"] == "2"
