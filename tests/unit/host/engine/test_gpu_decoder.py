"""A decoder on a GPU agrees with the numpy reference, however its tokens come to it.

On an NVIDIA card where there is one, and as a Mac would run it: with TVM's code for Metal and the kernels emulated.
"""

import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import tvm

from heron.host.compiler.architectures import read_config
from heron.host.compiler.gpu.cuda_device import CudaDevice, has_cuda_device, load_functions
from heron.host.compiler.gpu.kernels import compile_kernels, compile_metal_kernels
from heron.host.compiler.gpu.metal_device import MetalDevice
from heron.host.compiler.gpu.model import plan_kernels
from heron.host.compiler.gpu.shapes import METAL_LIMITS
from heron.host.compiler.reference import reference_logits
from heron.host.engine.gpu_runner import GpuRunner
from heron.host.models.gguf import GgufFile, open_gguf
from unit.host.compiler.gpu.metal_emulator import emulate_kernels
from unit.host.compiler.tiny_decoders import TinyDecoder, write_decoder
from unit.host.engine.batches import contiguous_batch

NUM_TOKENS = 150
DECODERS = (
    TinyDecoder(),
    TinyDecoder("llama", 6, 2, 128, 256, 640, formats=("Q4_1", "Q6_K", "Q5_0", "Q8_0")),
    TinyDecoder(num_heads=7, num_kv_heads=1, hidden=192, feed_forward=256, formats=("Q5_0",), tied=True),
)
EMULATED = TinyDecoder(num_heads=2, num_kv_heads=1, hidden=128, feed_forward=128, num_layers=1, formats=("Q5_0",))

Float32 = npt.NDArray[np.float32]
Int32 = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Case:
    """A decoder on a device, two sequences, and the reference's logits [2, NUM_TOKENS, vocab]."""

    runner: GpuRunner
    token_ids: Int32
    expected: Float32

    def run(self, *parts: tuple[int, int, int]) -> Float32:
        return self.runner.run(contiguous_batch(parts, self.token_ids))


@pytest.fixture(scope="module", params=[*DECODERS, None], ids=["qwen2", "llama", "tied", "emulated-metal"])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    decoder, folder = request.param or EMULATED, tmp_path_factory.mktemp("gpu")
    file = open_gguf(write_decoder(folder / "tiny.gguf", decoder))
    runner = run_on_card(file, folder) if request.param else emulate_metal(file, folder)
    token_ids = np.random.default_rng(3).integers(0, decoder.vocab_size, (2, NUM_TOKENS)).astype(np.int32)
    yield Case(runner, token_ids, reference_logits(file, token_ids))
    runner.close()


def run_on_card(file: GgufFile, folder: Path) -> GpuRunner:
    if not has_cuda_device() or shutil.which("nvcc") is None:
        pytest.skip("no CUDA device with a compiler here: the CUDA engine was not run")
    library = str(folder / "library.so")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TVM_CUDA_COMPILE_MODE", "nvcc")
        compile_kernels(plan_kernels(file, read_config(file))).export_library(library)
    return GpuRunner(file, load_functions(library), 32, CudaDevice())


def emulate_metal(file: GgufFile, folder: Path) -> GpuRunner:
    if shutil.which("g++") is None or platform.machine() != "x86_64":
        pytest.skip("no g++ for x86-64 here: Metal was not emulated")
    executable = compile_metal_kernels(plan_kernels(file, read_config(file), METAL_LIMITS), in_host_memory=True)
    return GpuRunner(file, emulate_kernels(executable, folder), 32, MetalDevice(tvm.cpu()))


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
