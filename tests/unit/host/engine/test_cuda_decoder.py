"""A decoder on a CUDA device agrees with the numpy reference, however its tokens come to it."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from heron.host.compiler.architectures import read_config
from heron.host.compiler.gpu.cuda_device import has_cuda_device
from heron.host.compiler.gpu.kernels import compile_kernels
from heron.host.compiler.gpu.model import plan_kernels
from heron.host.compiler.reference import reference_logits
from heron.host.engine.cuda_engine import CudaRunner
from heron.host.engine.runner import Batch
from heron.host.models.gguf import open_gguf
from unit.host.compiler.tiny_decoders import TinyDecoder, write_decoder

NUM_TOKENS = 150
DECODERS = (
    TinyDecoder(),
    TinyDecoder("llama", 6, 2, 128, 256, 640, formats=("Q4_1", "Q6_K", "Q5_0", "Q8_0")),
    TinyDecoder(num_heads=7, num_kv_heads=1, hidden=192, feed_forward=256, formats=("Q5_0",), tied=True),
)

Float32 = npt.NDArray[np.float32]
Int32 = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Case:
    """A decoder on the device, two sequences, and the reference's logits [2, NUM_TOKENS, vocab]."""

    runner: CudaRunner
    token_ids: Int32
    expected: Float32

    def run(self, *parts: tuple[int, int, int]) -> Float32:
        return self.runner.run(contiguous_batch(parts, self.token_ids))


def contiguous_batch(parts: tuple[tuple[int, int, int], ...], token_ids: Int32) -> Batch:
    """Parts (sequence, first position, tokens), sequence s on pages 16 s, …; logits of every token."""
    ids = np.concatenate([token_ids[sequence, first : first + count] for sequence, first, count in parts])
    positions = np.concatenate([np.arange(first, first + count) for _, first, count in parts])
    owners = np.concatenate([np.full(count, sequence) for sequence, _, count in parts])
    starts = np.cumsum([0, *(count for _, _, count in parts)])
    width = max(-(-(first + count) // 16) for _, first, count in parts)
    table = np.array([[16 * sequence + page for page in range(width)] for sequence, _, _ in parts])
    arrays = (ids, positions, owners * 256 + positions, starts, table, np.arange(len(ids)))
    return Batch(*(array.astype(np.int32) for array in arrays))


@pytest.fixture(scope="module", params=DECODERS, ids=["qwen2", "llama", "tied"])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    if not has_cuda_device() or shutil.which("nvcc") is None:
        pytest.skip("no CUDA device with a compiler here: the CUDA engine was not run")
    folder = tmp_path_factory.mktemp("cuda")
    file, library = open_gguf(write_decoder(folder / "tiny.gguf", request.param)), folder / "library.so"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TVM_CUDA_COMPILE_MODE", "nvcc")
        compile_kernels(plan_kernels(file, read_config(file))).export_library(str(library))
    token_ids = np.random.default_rng(3).integers(0, request.param.vocab_size, (2, NUM_TOKENS)).astype(np.int32)
    runner = CudaRunner(file, library, 32)
    yield Case(runner, token_ids, reference_logits(file, token_ids))
    runner.close()


def assert_close(logits: Float32, expected: Float32) -> None:
    """Activations are rounded to 8 bits a layer: 2% of the norm, measured on these decoders."""
    assert np.linalg.norm(logits - expected) <= 0.04 * np.linalg.norm(expected)


def test_two_prompts_at_once(case: Case) -> None:
    logits = case.run((0, 0, NUM_TOKENS), (1, 0, NUM_TOKENS))
    assert_close(logits, case.expected.reshape(logits.shape))


def test_chunks_verification_and_single_tokens(case: Case) -> None:
    borders = [0, 100, 105, 113, 115, *range(116, NUM_TOKENS + 1)]
    parts = [case.run((0, first, end - first)) for first, end in pairwise(borders)]
    assert_close(np.concatenate(parts), case.expected[0])


def test_two_sequences_decode_together_while_one_is_filled(case: Case) -> None:
    case.run((0, 0, NUM_TOKENS - 1))
    logits = case.run((0, NUM_TOKENS - 1, 1), (1, 0, NUM_TOKENS))
    assert_close(logits, np.concatenate([case.expected[0, -1:], case.expected[1]]))


def test_a_copied_page_holds_the_same(case: Case) -> None:
    case.run((0, 0, NUM_TOKENS - 1))
    case.runner.copy_page(3, 30)
    batch = contiguous_batch(((0, NUM_TOKENS - 1, 1),), case.token_ids)
    plain = case.runner.run(batch)
    batch.page_table[0, 3] = 30
    assert np.array_equal(case.runner.run(batch), plain)


def test_the_same_batch_gives_the_same_bits(case: Case) -> None:
    assert np.array_equal(case.run((0, 0, NUM_TOKENS)), case.run((0, 0, NUM_TOKENS)))
