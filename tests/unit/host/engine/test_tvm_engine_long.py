"""Beyond the default window: rotation, page table and attention against the reference.

With NUM_TOKENS = 32768 it passes too, in minutes.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from heron.host.compiler import reference
from heron.host.compiler.artefact import ensure_artefact
from heron.host.engine.tvm_engine import load_runner
from heron.host.models.gguf import open_gguf
from heron.settings import EngineSettings
from unit.host.compiler.tiny_decoders import TINIEST, write_decoder
from unit.host.engine.batches import Part, make_batch

Float32 = npt.NDArray[np.float32]

NUM_TOKENS, STEP, WATCHED = 6144, 512, 16
SETTINGS = EngineSettings(cache_tokens=NUM_TOKENS, context_window=NUM_TOKENS, threads=2)


def attend_last(heads: tuple[Float32, Float32, Float32], window: int, softcap: float) -> Float32:
    """Causal attention of the last `WATCHED` rows; in a model of one layer nothing depends on the others."""
    query, key, value = heads
    out = np.zeros_like(query)
    scores = query[:, -WATCHED:] @ key.transpose(0, 2, 1)
    future = np.triu(np.full((WATCHED, WATCHED), -np.inf, np.float32), 1)
    scores[:, :, -WATCHED:] += future
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    out[:, -WATCHED:] = weights @ value / weights.sum(-1, keepdims=True)
    return out


def test_the_last_tokens_of_a_full_window_are_the_references(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERON_HOME", str(tmp_path))
    model = write_decoder(tmp_path / "tiny.gguf", TINIEST)
    token_ids = np.random.default_rng(5).integers(0, TINIEST.vocab_size, NUM_TOKENS).astype(np.int32)
    runner = load_runner(ensure_artefact(model, SETTINGS, lambda progress: None), SETTINGS)
    pages = np.random.default_rng(6).permutation(runner.num_pages).tolist()
    logits = np.empty((0, 0), np.float32)
    for start in range(0, NUM_TOKENS, STEP):
        logits = runner.run(make_batch(Part(token_ids[start : start + STEP].tolist(), pages, start)))
    watched = logits[-WATCHED:].copy()
    alone = runner.run(make_batch(Part(token_ids[-1:].tolist(), pages, NUM_TOKENS - 1)))
    # With one key head, two threads share the keys of a lone token.
    np.testing.assert_array_equal(alone[0], watched[-1])
    runner.close()
    monkeypatch.setattr(reference, "attend", attend_last)
    expected = reference.reference_logits(open_gguf(model), token_ids[np.newaxis])[0, -WATCHED:]
    assert (watched - expected).std() < 0.03 * expected.std()
