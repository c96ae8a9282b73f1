"""A small decoder with keys and values in int8: close to the reference, the same bits however it is run, and small."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from heron.errors import InvalidSettings
from heron.host.compiler.artefact import artefact_folder, ensure_artefact
from heron.host.compiler.manifest import read_manifest
from heron.host.compiler.reference import argmax_agreement, reference_logits
from heron.host.compiler.target import choose_target, choose_threads
from heron.host.engine.cache_numbers import refuse_small_cache
from heron.host.engine.tvm_engine import TvmRunner, load_runner, memory_need
from heron.host.models.gguf import open_gguf
from heron.settings import EngineSettings
from unit.host.compiler.tiny_decoders import FAMILIES, write_decoder
from unit.host.engine.batches import Part, make_batch

IDS = np.random.default_rng(0).integers(0, 100, 75).tolist()
INT8 = EngineSettings(cache_tokens=512, threads=2, kv_cache="int8")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path, TvmRunner]]:
    """A model whose keys are half bias, its artefact and its runner."""
    folder = tmp_path_factory.mktemp("int8")
    model = write_decoder(folder / "tiny.gguf", replace(FAMILIES["qwen2"], bias_scale=5.0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HERON_HOME", str(folder))
        artefact = ensure_artefact(model, INT8, lambda progress: None)
    runner = load_runner(artefact, INT8)
    yield model, artefact, runner
    runner.close()


def test_logits_are_the_references_and_the_same_in_chunks(built: tuple[Path, Path, TvmRunner]) -> None:
    model, _, runner = built
    prefill = runner.run(make_batch(Part(IDS, range(1, 6)))).copy()
    reference = reference_logits(open_gguf(model), np.array([IDS], np.int32))[0]
    assert (prefill - reference).std() < 0.03 * reference.std()
    assert argmax_agreement(prefill, reference) >= 0.9
    pages, position = range(10, 15), 0
    for length in (33, 1, 16, 25):
        logits = runner.run(make_batch(Part(IDS[position : position + length], pages, position)))
        np.testing.assert_array_equal(logits, prefill[position : position + length])
        position += length


def test_a_copied_page_serves_as_the_original(built: tuple[Path, Path, TvmRunner]) -> None:
    _, _, runner = built
    expected = runner.run(make_batch(Part(IDS[:21], range(2))))[20].copy()
    runner.run(make_batch(Part(IDS[:20], (20, 21)), rows=[]))
    for source, target in ((20, 25), (21, 24)):
        runner.copy_page(source, target)
    runner.run(make_batch(Part(IDS[30:62], (20, 21)), rows=[]))
    np.testing.assert_array_equal(runner.run(make_batch(Part(IDS[20:21], (25, 24), 20)))[0], expected)


def test_a_page_takes_little_more_than_half_of_a_half_precision_one(built: tuple[Path, Path, TvmRunner]) -> None:
    _, artefact, _ = built
    config = read_manifest(artefact).config
    halves = 2 * 2 * config.num_layers * config.num_kv_heads * config.head_size * 16
    assert memory_need(artefact).page_bytes == halves * 17 / 32


def test_both_caches_have_artefacts_of_their_own(built: tuple[Path, Path, TvmRunner]) -> None:
    model = built[0]
    names = {artefact_folder(model, choose_target(each), choose_threads(each)) for each in (INT8, EngineSettings())}
    assert len({name.name.rpartition("-")[0] for name in names}) == 2


def test_a_family_it_was_not_measured_with_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERON_HOME", str(tmp_path))
    model = write_decoder(tmp_path / "tiny.gguf", FAMILIES["starcoder2"])
    with pytest.raises(InvalidSettings, match=r"engine\.kv_cache: int8 was measured with .*qwen2.*starcoder2"):
        ensure_artefact(model, INT8, lambda progress: None)


def test_other_engines_refuse_it_and_say_where_the_model_runs() -> None:
    refuse_small_cache(EngineSettings(), "It runs on a card.")
    with pytest.raises(InvalidSettings, match=r"engine\.kv_cache: int8 .* It runs on a card\. Set engine\.kv_cache"):
        refuse_small_cache(INT8, "It runs on a card.")
