"""A folder of MLC-LLM's, compiled by our own compiler, against the float32 reference of the weights it stands for."""

from pathlib import Path

import numpy as np
import pytest

from heron.host.compiler.artefact import artefact_folder, ensure_artefact
from heron.host.compiler.reference import argmax_agreement, reference_logits
from heron.host.compiler.target import choose_target, choose_threads
from heron.host.engine.tvm_engine import load_runner
from heron.settings import EngineSettings
from mlc_folders import MlcWriter, write_mlc_folder
from mlc_models import change_config
from unit.host.compiler.tiny_decoders import TINIEST, write_decoder
from unit.host.engine.batches import Part, make_batch

IDS = np.random.default_rng(0).integers(0, 100, 40).tolist()


def test_its_logits_are_the_references(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Llama's queries and keys are reordered twice on the way; compiling takes some seconds."""
    monkeypatch.setenv("HERON_HOME", str(tmp_path))
    folder, settings = tmp_path / "tiny-v1.5-q4f16_1", EngineSettings(cache_tokens=512)
    exact = write_mlc_folder(write_decoder(tmp_path / "tiny.gguf", TINIEST), folder, MlcWriter("q4f16_1"))
    artefact = ensure_artefact(folder, settings, lambda progress: None)
    assert artefact.name.startswith("tiny-v1.5-q4f16_1-")
    runner = load_runner(artefact, settings)
    logits = runner.run(make_batch(Part(IDS, range(1, 5))))
    runner.close()
    wanted = reference_logits(exact, np.array([IDS], np.int32))[0]
    assert (logits - wanted).std() < 0.03 * wanted.std()
    assert argmax_agreement(logits, wanted) >= 0.9
    change_config(folder, temperature=0.5)
    assert artefact_folder(folder, choose_target(settings), choose_threads(settings)) != artefact
