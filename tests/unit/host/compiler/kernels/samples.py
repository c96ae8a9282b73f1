"""What the kernel tests share: random quantised tensors and activations, kernels compiled for an instruction set."""

from dataclasses import dataclass
from typing import Any

import gguf
import numpy as np
import numpy.typing as npt
import pytest
import tvm
from tvm.target import codegen

from heron.errors import InvalidSettings
from heron.host.compiler.kernels.quantized_rows import PART_K, SPARE_ROWS, RowLayout
from heron.host.compiler.target import CpuTarget, choose_instruction_set, host_features

Floats = npt.NDArray[np.float32]

INSTRUCTION_SETS = ("avx512-vnni", "avx2", "portable")
QUANTIZED = ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K")
FLOATS = ("F16", "BF16", "F32")
CHUNKS = 3  # more than this machine's cores, and no divisor of the tile counts below

# Byte offsets of the half-precision fields of a ggml block.
_HALFS = {
    "Q4_0": (0,),
    "Q4_1": (0, 2),
    "Q5_0": (0,),
    "Q5_1": (0, 2),
    "Q8_0": (0,),
    "Q4_K": (0, 2),
    "Q5_K": (0, 2),
    "Q6_K": (208,),
}


@dataclass(frozen=True)
class Tensor:
    """A stand-in for `GgufTensor`."""

    name: str
    type_name: str
    shape: tuple[int, int]
    data: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Rows:
    """Quantised activations [M, K], a scale for each block, and what they stand for."""

    codes: npt.NDArray[np.int8]
    scales: Floats

    @property
    def values(self) -> npt.NDArray[np.float64]:
        block_k = RowLayout(self.codes.shape[1]).block_k
        return self.codes * np.repeat(self.scales.astype(np.float64), block_k, axis=1)

    def words(self) -> npt.NDArray[np.int32]:
        """The rows as `quantized_rows` lays them out."""
        count, layout = len(self.codes), RowLayout(self.codes.shape[1])
        blocks = self.codes.reshape(count, layout.num_blocks, layout.num_parts, PART_K)
        halves = blocks.reshape(*blocks.shape[:3], 2, -1).sum(-1, dtype=np.int32)
        totals = halves.sum(-1, dtype=np.int32, keepdims=True)
        sums = np.concatenate([totals.astype(np.float32).view(np.int32), -totals, -halves], axis=-1)
        codes = blocks.reshape(count, layout.num_blocks, -1).view(np.int32)
        scales = self.scales.view(np.int32)[..., None]
        parts = [codes, scales, sums.reshape(count, layout.num_blocks, -1)]
        return np.concatenate(parts, axis=-1).reshape(count, layout.row_words)

    def argument(self) -> Any:
        """What a linear takes; the spare rows hold what must not matter."""
        words = self.words()
        spare = np.full((SPARE_ROWS, words.shape[1]), 0x7FC00001, np.int32)  # as floats not a number
        return tvm.runtime.tensor(words if len(words) == 1 else np.concatenate([words, spare]))


def make_tensor(type_name: str, columns: int, inner: int, rng: np.random.Generator) -> Tensor:
    """Random blocks: every code, with scales that are also negative, zero and subnormal."""
    if type_name in FLOATS:
        values = (rng.standard_normal((columns, inner)) * 0.05).astype(np.float32)
        return Tensor(type_name, type_name, (columns, inner), _float_rows(type_name, values))
    block_k, block_bytes = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[type_name]]
    blocks = rng.integers(0, 256, (columns, inner // block_k, block_bytes), dtype=np.uint8)
    for offset in _HALFS[type_name]:
        blocks[..., offset : offset + 2] = _half_scales(rng, blocks.shape[:2])
    return Tensor(type_name, type_name, (columns, inner), blocks.reshape(columns, -1))


def dequantize(tensor: Tensor) -> Floats:
    """The weights [N, K] by the gguf package."""
    kind = gguf.GGMLQuantizationType[tensor.type_name]
    data = tensor.data.view({"F16": np.float16, "F32": np.float32}.get(tensor.type_name, np.uint8))
    return gguf.quants.dequantize(data, kind).reshape(tensor.shape).astype(np.float32)


def make_rows(count: int, inner: int, rng: np.random.Generator) -> Rows:
    """Random activations; the first rows are the extremes: all 127, all -127, all zero."""
    codes = rng.integers(-127, 128, (count, inner), dtype=np.int8)
    for row, value in enumerate((127, -127, 0)[: count - 1]):
        codes[row] = value
    scales = (rng.random((count, RowLayout(inner).num_blocks)) * 0.05).astype(np.float32)
    return Rows(codes, scales)


def target_of(name: str) -> Any:
    """TVM's target for an instruction set; skips the test on a machine that lacks it."""
    try:
        choose_instruction_set(name, host_features())
    except InvalidSettings as missing:
        pytest.skip(str(missing))
    return tvm.target.Target(CpuTarget(name, str(codegen.llvm_get_system_triple())).tvm_attributes())


def compile_functions(name: str, functions: dict[str, Any]) -> Any:
    """PrimFuncs as callables by name, for one instruction set."""
    return tvm.compile(tvm.IRModule(functions), target=target_of(name)).jit()


def _half_scales(rng: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    scales = rng.uniform(-0.01, 0.01, shape).astype(np.float16)
    scales[rng.random(shape) < 0.1] = 0.0
    scales[rng.random(shape) < 0.1] = np.float16(3e-7)  # subnormal
    return scales[..., None].view(np.uint8)


def _float_rows(type_name: str, values: Floats) -> npt.NDArray[np.uint8]:
    if type_name == "BF16":
        return gguf.quants.quantize(values, gguf.GGMLQuantizationType.BF16).view(np.uint8)
    return values.astype({"F16": np.float16, "F32": np.float32}[type_name]).view(np.uint8)
