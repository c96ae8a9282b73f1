"""The activation quantiser of each kind on each instruction set against numpy."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pytest
import tvm

from heron.host.compiler.kernels.activation import Kind, QuantizerShape, Recipe, build_quantizer
from heron.host.compiler.kernels.isa import instruction_set
from heron.host.compiler.kernels.quantized_rows import SPARE_ROWS, RowLayout
from unit.host.compiler.kernels.samples import CHUNKS, INSTRUCTION_SETS, compile_functions

INNER = 192
BLOCK = RowLayout(INNER).block_k
EPSILON = 1e-5
FACTOR = 0.375

Doubles = npt.NDArray[np.float64]


def make_values(count: int, width: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Random rows of very different sizes; the second block of every row is zero, the third has one outlier."""
    values = rng.standard_normal((count, width)) * np.exp(rng.uniform(-6, 6, (count, 1)))
    values[:, BLOCK : 2 * BLOCK] = 0.0
    values[:, 2 * BLOCK] *= 1000.0
    return values.astype(np.float32)


def reference(kind: Kind, values: npt.NDArray[np.float32], vectors: Sequence[npt.NDArray[np.float32]]) -> Doubles:
    """What is to be quantised, in float64."""
    exact: Doubles = values.astype(np.float64)
    if kind == "rms":
        return exact / np.sqrt((exact**2).mean(1, keepdims=True) + EPSILON) * vectors[0]
    if kind == "layer":
        centred = exact - exact.mean(1, keepdims=True)
        return centred / np.sqrt((centred**2).mean(1, keepdims=True) + EPSILON) * vectors[0] + vectors[1]
    if kind == "plain":
        return exact
    gate = exact[:, :INNER]
    activated = reference_gelu(gate) if kind.startswith("gelu") else gate / (1 + np.exp(np.minimum(-gate, 700.0)))
    return activated * exact[:, INNER:] if kind.endswith("_gate") else activated


def reference_gelu(x: Doubles) -> Doubles:
    result: Doubles = 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return result


@dataclass(frozen=True)
class Quantized:
    """What a quantiser wrote, taken apart."""

    codes: npt.NDArray[np.int8]
    """[M, blocks, block_k]"""
    scales: npt.NDArray[np.float32]
    """[M, blocks]"""
    sums: npt.NDArray[np.int32]
    """[M, blocks, parts, 4]"""


def quantize(library: Any, values: npt.NDArray[np.float32], vectors: Sequence[npt.NDArray[np.float32]]) -> Quantized:
    count, layout = len(values), RowLayout(INNER)
    spare = 0 if count == 1 else SPARE_ROWS
    output = tvm.runtime.tensor(np.full((count + spare, layout.row_words), -1, np.int32))
    library[f"quantize_{count == 1}"](*[tvm.runtime.tensor(each) for each in (values, *vectors)], output)
    written = output.numpy()
    assert np.all(written[count:] == -1)
    words = written[:count].reshape(count, layout.num_blocks, layout.block_words)
    return Quantized(
        np.ascontiguousarray(words[..., : layout.scale_word]).view(np.int8),
        words[..., layout.scale_word].copy().view(np.float32),
        words[..., layout.sums_word :].reshape(count, layout.num_blocks, layout.num_parts, layout.sum_words),
    )


def check(quantized: Quantized, expected: Doubles, factor: float) -> None:
    """`expected` [M, blocks, block_k] before the factor."""
    codes, scales, sums = quantized.codes, quantized.scales / factor, quantized.sums
    np.testing.assert_allclose(scales, np.abs(expected).max(-1) / 127, rtol=3e-6, atol=1e-37)
    restored = codes * scales[..., None].astype(np.float64)
    assert np.all(np.abs(restored - expected) <= scales[..., None] * 0.5001 + 1e-36)
    assert codes.min() >= -127
    halves = codes.reshape(*codes.shape[:2], -1, 2, 16).sum(-1, dtype=np.int32)
    np.testing.assert_array_equal(np.ascontiguousarray(sums[..., :1]).view(np.float32)[..., 0], halves.sum(-1))
    np.testing.assert_array_equal(-sums[..., 1], halves.sum(-1))
    np.testing.assert_array_equal(-sums[..., 2:], halves)


@pytest.mark.parametrize("kind", get_args(Kind))
@pytest.mark.parametrize("name", INSTRUCTION_SETS)
def test_codes_scales_and_sums(name: str, kind: Kind) -> None:
    rng = np.random.default_rng(3)
    isa, recipe = instruction_set(name), Recipe(kind, EPSILON, FACTOR)
    shapes = {f"quantize_{single}": QuantizerShape(recipe, INNER, single) for single in (True, False)}
    library = compile_functions(name, {key: build_quantizer(shape, isa, CHUNKS, key) for key, shape in shapes.items()})
    vectors = rng.standard_normal(({"rms": 1, "layer": 2}.get(kind, 0), INNER)).astype(np.float32)
    for count in (1, 2, 40, 60):  # 60 rows are enough to be dealt to several threads
        values = make_values(count, INNER * (2 if recipe.is_gated else 1), rng)
        expected = reference(kind, values, vectors).reshape(count, -1, BLOCK)
        check(quantize(library, values, vectors), expected, FACTOR)


@pytest.mark.parametrize("name", INSTRUCTION_SETS)
def test_zero_tiny_and_huge_values_stay_finite(name: str) -> None:
    shape = QuantizerShape(Recipe(), INNER, True)
    function = build_quantizer(shape, instruction_set(name), 1, "quantize_True")
    values = np.zeros((1, INNER), np.float32)
    values[0, BLOCK : 2 * BLOCK] = 1e-42  # subnormal
    values[0, 2 * BLOCK :] = 3e38
    quantized = quantize(compile_functions(name, {"quantize_True": function}), values, [])
    assert np.all(np.isfinite(quantized.scales))
    assert not quantized.codes[0, :2].any()
    assert not quantized.sums[0, :2].any()
    assert np.all(quantized.codes[0, 2] == 127)


@pytest.mark.parametrize("inner", [896, 576, 4864, 96])
def test_a_row_has_codes_a_scale_and_sums_for_each_32(inner: int) -> None:
    assert RowLayout(inner).row_words == inner // 4 + inner // 32 + 4 * (inner // 32)
