"""The kernels as Metal's source, of some of the 0.5B's shapes: what is in it, and what it computes, emulated.

Nothing of it has been run on Apple's hardware or seen Apple's compiler.
"""

import math
import platform
import re
import shutil
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from heron.host.compiler.gpu.formats import join_formats
from heron.host.compiler.gpu.kernels import compile_metal_kernels
from heron.host.compiler.gpu.pack import PackedRows, pack_rows
from heron.host.compiler.gpu.plan import KernelPlan
from heron.host.compiler.gpu.shapes import (
    MAX_PARTIALS,
    MAX_TOKENS,
    PAGES,
    PLACES_SIZE,
    POSITIONS,
    DecoderShape,
    LinearShape,
)
from unit.host.compiler.gpu.metal_emulator import call, emulate_kernels, metal_source
from unit.host.compiler.gpu.test_cuda_pack import random_rows, unpack

DECODER = DecoderShape(896, 4864, 24, 14, 2, 64, 1e-6)
LINEARS = frozenset(
    {
        LinearShape(1152, 896, join_formats(["Q5_0"]), "bias"),
        LinearShape(896, 4864, join_formats(["Q6_K"]), "residual"),
    }
)
PLAN = KernelPlan(DECODER, join_formats(["Q5_0"]), 151936, LINEARS, 151936)
SHARED_BYTES = 32768
WORD_BYTES = 4

Float32 = npt.NDArray[np.float32]

emulated = pytest.mark.skipif(
    shutil.which("g++") is None or platform.machine() != "x86_64", reason="no g++ for x86-64 here: nothing was emulated"
)


@pytest.fixture(scope="module")
def compiled() -> Any:
    return compile_metal_kernels(PLAN, in_host_memory=True)


@pytest.fixture(scope="module")
def source(compiled: Any) -> str:
    return metal_source(compiled)


@pytest.fixture(scope="module")
def functions(compiled: Any, source: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return emulate_kernels(compiled, tmp_path_factory.mktemp("metal"))


def kernels(source: str) -> dict[str, str]:
    """Each kernel's text by its name."""
    parts = re.split(r"kernel void (\w+)_kernel\(", source)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_kernel_is_there(source: str) -> None:
    names = {"embed", "quantize_rms", "quantize_picked", "quantize_silu", "rotate_and_append", "attend", "copy_page"}
    names |= {"combine_64", "combine_16", "combine_4"}
    names |= {f"linear_{linear.name}_{kind}" for linear in LINEARS for kind in ("m1", "m2", "m4", "m8", "matrix")}
    assert set(kernels(source)) == names


@pytest.mark.parametrize("word", ["__dp4a", "__shfl", "__float2int", "asm", "heron_mma", "__syncthreads", "__shared__"])
def test_nothing_of_cuda_is_left(source: str, word: str) -> None:
    assert word not in source


def test_lanes_are_summed_and_blocks_wait(source: str) -> None:
    found = kernels(source)
    assert "simd_shuffle_xor" in found["quantize_rms"]
    assert "rint(" in found["quantize_rms"]
    assert "simd_shuffle(" in found["combine_64"]
    assert "threadgroup_barrier(mem_flags::mem_threadgroup)" in found["attend"]


def test_shuffles_are_never_in_a_branch(source: str) -> None:
    """All lanes have to take part; a condition within an expression would leave some out."""
    assert not [line for line in source.splitlines() if "simd_shuffle" in line and re.search(r"\?|&& |\|\| ", line)]


def test_shared_memory_fits_apples_limit(source: str) -> None:
    for name, text in kernels(source).items():
        sizes = [int(size) for size in re.findall(r"threadgroup (?:float|int) \w+\[(\d+)\]", text)]
        assert WORD_BYTES * sum(sizes) <= SHARED_BYTES, name


def test_vectors_have_at_most_four_elements(source: str) -> None:
    assert not re.search(r"\b(?:half|float|int|uint)(?:8|16)\b", source)


def quantised(num_tokens: int, inner: int) -> tuple[tuple[npt.NDArray[np.generic], ...], Float32]:
    """Random quantised activations as the kernels keep them, and what they stand for."""
    random, codes = np.random.default_rng(5), np.zeros((MAX_TOKENS, inner), np.int8)
    codes[:num_tokens] = random.integers(-127, 128, (num_tokens, inner))
    scales = random.random((MAX_TOKENS, inner // 32)).astype(np.float32) * 0.02
    values = (codes.reshape(MAX_TOKENS, -1, 32) * scales[..., None]).reshape(MAX_TOKENS, inner)
    sums = values.reshape(MAX_TOKENS, -1, 16).sum(-1)
    return (codes.view(np.int32), scales, sums.astype(np.float32)), values[:num_tokens].astype(np.float32)


def random_packed(shape: LinearShape) -> PackedRows:
    if shape.format.has_offset or shape.format.bits == 6:  # rows of K-formats are wider than these: take apart one row
        wide = pack_rows([random_rows("Q6_K", shape.rows * shape.inner // 256, 256)])
        arrays = [array.reshape(shape.rows, -1, *array.shape[2:]) for array in wide.arrays]
        return PackedRows(wide.format, arrays[0], arrays[1], arrays[2], None)  # type: ignore[arg-type]
    return pack_rows([random_rows("Q5_0", shape.rows, shape.inner)])


@emulated
@pytest.mark.parametrize(("kind", "num_tokens"), [("matrix", 64), ("m2", 2)])
@pytest.mark.parametrize("shape", sorted(LINEARS, key=lambda shape: shape.name), ids=lambda shape: shape.name)
def test_linears(functions: Any, shape: LinearShape, kind: str, num_tokens: int) -> None:
    (codes, scales, sums), x = quantised(num_tokens, shape.inner)
    packed, random = random_packed(shape), np.random.default_rng(6)
    bias, out = (random.standard_normal(size).astype(np.float32) for size in (shape.rows, (MAX_TOKENS, shape.rows)))
    start = out[:num_tokens].copy() if shape.epilogue == "residual" else bias
    blocks, rest = (1,) if kind == "matrix" else (), (bias, out) if shape.epilogue == "bias" else (out,)
    call(functions[f"linear_{shape.name}_{kind}"], *blocks, codes, scales, sums, *packed.arrays, *rest)
    expected = x @ unpack(packed).T + start
    assert np.abs(out[:num_tokens] - expected).max() <= 1e-4 * np.abs(expected).max()


@emulated
def test_attention(functions: Any) -> None:
    """Two tokens of one sequence, at positions 40 and 41, over pages in no order, by 16 blocks a token."""
    random, shape, splits, layer, num_pages = np.random.default_rng(7), DECODER, 16, 1, 5
    pool = (shape.num_layers, num_pages, shape.num_kv_heads, 16, shape.head_size)
    keys, values = (random.standard_normal(pool).astype(np.float16) for _ in range(2))
    q = random.standard_normal((MAX_TOKENS, shape.attended)).astype(np.float32) / math.sqrt(shape.head_size)
    places, table = np.zeros(PLACES_SIZE, np.int32), [3, 0, 4]
    places[POSITIONS : POSITIONS + 2], places[PAGES : PAGES + 3] = [40, 41], table
    heads = (MAX_PARTIALS, shape.num_heads)
    sums = np.zeros((*heads, shape.head_size), np.float32)
    maxima, weights = (np.zeros(heads, np.float32) for _ in range(2))
    call(functions["attend"], 2, splits, layer, places, q, keys, values, sums, maxima, weights)
    codes = np.zeros((MAX_TOKENS, shape.attended // 4), np.int32)
    scales, halves = (np.zeros((MAX_TOKENS, shape.attended // width), np.float32) for width in (32, 16))
    call(functions["combine_64"], 2, sums, maxima, weights, codes, scales, halves)
    found = codes[:2].view(np.int8).reshape(2, -1, 32) * scales[:2, :, None]
    expected = attend_plainly(q[:2], (keys[layer, table], values[layer, table]), (41, 42))
    assert np.abs(found.reshape(2, -1) - expected).max() <= 0.01 * np.abs(expected).max()
    assert np.allclose(found.reshape(2, -1, 16).sum(-1), halves[:2], atol=1e-3)


def attend_plainly(q: Float32, pages: tuple[npt.NDArray[np.float16], ...], lengths: tuple[int, ...]) -> Float32:
    """Attention of each row of q to as many first keys; pages [pages, kv heads, 16, head size]."""
    keys, values = (
        pool.transpose(1, 0, 2, 3).reshape(DECODER.num_kv_heads, -1, 64).astype(np.float32) for pool in pages
    )
    rows = []
    for row, length in zip(q, lengths, strict=True):
        for head, query in enumerate(row.reshape(DECODER.num_heads, -1)):
            scores = np.exp(keys[head // DECODER.group, :length] @ query)
            rows.append(scores @ values[head // DECODER.group, :length] / scores.sum())
    return np.array(rows).reshape(len(q), -1)
