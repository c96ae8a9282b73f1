"""The compiled model against the same GGUF dequantised to float32: next tokens and perplexity."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from heron.errors import InvalidSettings
from heron.host.compiler.reference import argmax_agreement, reference_logits
from heron.host.compiler.target import choose_instruction_set, host_features
from heron.host.engine.runner import Batch, Runner
from heron.host.engine.tokenizer import Tokenizer
from heron.host.engine.tvm_engine import load_runner
from heron.host.models.catalog import find_model
from heron.host.models.gguf import open_gguf
from heron.host.models.store import Store
from heron.samples.holes import sample_folder
from heron.settings import EngineSettings
from homes import CODER, SMALL
from real_models import artefact_of

NUM_TOKENS = 500
# The small model's next tokens are often nearly tied, and activations are rounded to 8 bits: it flips more of them.
LEAST_AGREEMENT = {CODER: 0.99, SMALL: 0.95}
Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Both:
    """Tokens of real code, our logits at each position, the reference's, and how often both must agree."""

    least_agreement: float
    token_ids: npt.NDArray[np.int32]
    ours: Float32
    expected: Float32


def prefill(runner: Runner, token_ids: npt.NDArray[np.int32]) -> Float32:
    """Logits [n, vocab_size] at every position of one sequence, in steps as large as the runner takes."""
    pages = np.arange(-(-len(token_ids) // runner.page_size), dtype=np.int32)
    parts = []
    for start in range(0, len(token_ids), runner.max_batch_tokens):
        positions = np.arange(start, min(start + runner.max_batch_tokens, len(token_ids)), dtype=np.int32)
        ends = np.array([0, len(positions)], dtype=np.int32)
        rows = np.arange(len(positions), dtype=np.int32)
        parts.append(runner.run(Batch(token_ids[positions], positions, positions, ends, pages[None], rows)).copy())
    return np.concatenate(parts)


def perplexity(logits: Float32, token_ids: npt.NDArray[np.int32]) -> float:
    scores = logits[:-1].astype(np.float64)
    scores -= scores.max(axis=-1, keepdims=True)
    chosen = np.take_along_axis(scores, token_ids[1:, None], axis=-1)[:, 0]
    return float(np.exp(np.mean(np.log(np.exp(scores).sum(axis=-1)) - chosen)))


def sample_text() -> str:
    """Real code in three languages that is the same in every checkout."""
    names = ("python/cart.py", "typescript/router.ts", "go/cache.go")
    return "".join((sample_folder() / name).read_text(encoding="utf-8") for name in names)


@cache
def expected_logits(path: Path, token_ids: tuple[int, ...]) -> Float32:
    return reference_logits(open_gguf(path), np.array([token_ids], dtype=np.int32))[0]


@pytest.fixture(
    scope="module",
    params=[(CODER, "auto"), *((SMALL, name) for name in ("avx512-vnni", "avx2", "portable"))],
    ids=lambda param: f"{param[0].partition('-')[0]}-{param[1]}",
)
def both(model_home: Path, request: pytest.FixtureRequest) -> Both:
    """The 0.5B as this machine runs it, and the small model by each instruction set the machine has."""
    model, instruction_set = request.param
    if instruction_set != "auto" and not is_supported(instruction_set):
        pytest.skip(f"this processor has no {instruction_set}")
    settings = EngineSettings(instruction_set=instruction_set)
    artefact = artefact_of(model_home, model, settings)
    token_ids = np.array(Tokenizer.load(artefact).encode(sample_text())[:NUM_TOKENS], dtype=np.int32)
    runner = load_runner(artefact, settings)
    try:
        ours = prefill(runner, token_ids)
    finally:
        runner.close()
    path = Store(model_home).path_of(find_model(model))
    return Both(LEAST_AGREEMENT[model], token_ids, ours, expected_logits(path, tuple(token_ids.tolist())))


def is_supported(instruction_set: str) -> bool:
    try:
        return choose_instruction_set(instruction_set, host_features()) == instruction_set
    except InvalidSettings:
        return False


def test_next_tokens_are_the_references_at_nearly_all_positions(both: Both) -> None:
    assert len(both.token_ids) == NUM_TOKENS
    assert argmax_agreement(both.ours, both.expected) >= both.least_agreement


def test_perplexity_is_within_half_a_percent(both: Both) -> None:
    expected = perplexity(both.expected, both.token_ids)
    assert perplexity(both.ours, both.token_ids) == pytest.approx(expected, rel=0.005)
