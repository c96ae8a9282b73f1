"""A small decoder of every family, compiled for one instruction set or another, against the float32 reference."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from heron.errors import InvalidSettings
from heron.host.compiler.artefact import ensure_artefact
from heron.host.compiler.families import FAMILIES as TABLE
from heron.host.compiler.reference import argmax_agreement, reference_logits
from heron.host.compiler.target import choose_target
from heron.host.engine.tvm_engine import TvmRunner, load_runner
from heron.host.models.gguf import open_gguf
from heron.settings import EngineSettings
from unit.host.compiler.tiny_decoders import FAMILIES, write_decoder
from unit.host.engine.batches import Part, make_batch

IDS = np.random.default_rng(0).integers(0, 100, 75).tolist()
CACHE = {"cache_tokens": 512, "threads": 2}
SETS = ("avx512-vnni", "avx2", "portable")


def test_every_family_of_the_table_is_here() -> None:
    assert {family.architecture for family in TABLE} == {decoder.family for decoder in FAMILIES.values()}


@pytest.fixture(
    scope="module",
    params=[(name, SETS[index % 3]) for index, name in enumerate(FAMILIES)],
    ids="-".join,
)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, TvmRunner]]:
    """A model file and its runner."""
    name, instruction_set = request.param
    settings = EngineSettings(instruction_set=instruction_set, **CACHE)
    try:
        choose_target(settings)
    except InvalidSettings as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp(name)
    model = write_decoder(folder / "tiny.gguf", FAMILIES[name])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HERON_HOME", str(folder))
        runner = load_runner(ensure_artefact(model, settings, lambda progress: None), settings)
    yield model, runner
    runner.close()


def test_logits_are_the_references_and_the_same_in_chunks_and_batches(built: tuple[Path, TvmRunner]) -> None:
    model, runner = built
    prefill = runner.run(make_batch(Part(IDS, range(1, 6)))).copy()
    reference = reference_logits(open_gguf(model), np.array([IDS], np.int32))[0]
    assert (prefill - reference).std() < 0.03 * reference.std()
    assert argmax_agreement(prefill, reference) >= 0.9
    pages, position = range(10, 15), 0
    for length in (33, 1, 16, 25):
        logits = runner.run(make_batch(Part(IDS[position : position + length], pages, position)))
        np.testing.assert_array_equal(logits, prefill[position : position + length])
        position += length
    parts = Part(IDS[70:], range(10, 15), 70), Part(IDS[:20], (20, 21))
    np.testing.assert_array_equal(runner.run(make_batch(*parts)), np.concatenate([prefill[70:], prefill[:20]]))
