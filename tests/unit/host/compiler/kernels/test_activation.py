"""The activation quantiser of each kind on each instruction set against numpy."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tvm

from heron.host.compiler.kernels.activation import Kind, QuantizerShape, build_quantizer
from heron.host.compiler.kernels.isa import instruction_set
from unit.host.compiler.kernels.samples import CHUNKS, INSTRUCTION_SETS, compile_functions

INNER = 192
EPSILON = 1e-5

Doubles = npt.NDArray[np.float64]


def make_values(count: int, width: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Random rows of very different sizes; the second group of every row is zero, the third has one outlier."""
    values = rng.standard_normal((count, width)) * np.exp(rng.uniform(-6, 6, (count, 1)))
    values[:, 32:64] = 0.0
    values[:, 64] *= 1000.0
    return values.astype(np.float32)


def reference(kind: Kind, values: npt.NDArray[np.float32], gain: npt.NDArray[np.float32]) -> Doubles:
    """What is to be quantised, in float64."""
    exact: Doubles = values.astype(np.float64)
    if kind == "rms":
        return exact / np.sqrt((exact**2).mean(1, keepdims=True) + EPSILON) * gain
    if kind == "silu":
        gate, up = exact[:, :INNER], exact[:, INNER:]
        return gate / (1.0 + np.exp(np.minimum(-gate, 700.0))) * up
    return exact


def quantize(library: Any, kind: Kind, values: npt.NDArray[np.float32], gain: npt.NDArray[np.float32]) -> list[Any]:
    count = len(values)
    outputs = [
        tvm.runtime.tensor(np.zeros((count, INNER // 4), np.int32)),
        tvm.runtime.tensor(np.full((count, INNER // 32), np.nan, np.float32)),
        tvm.runtime.tensor(np.full((count, 3 * INNER // 32), np.nan, np.float32)),
    ]
    inputs = [values, gain] if kind == "rms" else [values]
    library[f"quantize_{count == 1}"](*[tvm.runtime.tensor(each) for each in inputs], *outputs)
    codes, scales, sums = (output.numpy() for output in outputs)
    return [codes.view(np.int8), scales, sums]


@pytest.mark.parametrize("kind", ["plain", "rms", "silu"])
@pytest.mark.parametrize("name", INSTRUCTION_SETS)
def test_codes_scales_and_sums(name: str, kind: Kind) -> None:
    rng = np.random.default_rng(3)
    isa = instruction_set(name)
    shapes = {single: QuantizerShape(kind, INNER, single, EPSILON) for single in (True, False)}
    library = compile_functions(
        name,
        {
            f"quantize_{single}": build_quantizer(shape, isa, CHUNKS, f"quantize_{single}")
            for single, shape in shapes.items()
        },
    )
    gain = rng.standard_normal(INNER).astype(np.float32)
    for count in (1, 2, 40, 60):  # 60 rows are enough to be dealt to several threads
        values = make_values(count, INNER * (2 if kind == "silu" else 1), rng)
        expected = reference(kind, values, gain).reshape(count, -1, 32)
        codes, scales, sums = quantize(library, kind, values, gain)
        np.testing.assert_allclose(scales, np.abs(expected).max(-1) / 127, rtol=3e-6, atol=1e-37)
        restored = codes.reshape(expected.shape) * scales[..., None].astype(np.float64)
        assert np.all(np.abs(restored - expected) <= scales[..., None] * 0.5001 + 1e-36)
        assert codes.min() >= -127
        groups = np.concatenate([restored.sum(-1), restored.reshape(count, -1, 16).sum(-1)], axis=1)
        np.testing.assert_allclose(sums, groups, rtol=1e-6, atol=1e-30)


@pytest.mark.parametrize("name", INSTRUCTION_SETS)
def test_zero_tiny_and_huge_values_stay_finite(name: str) -> None:
    library = compile_functions(
        name,
        {
            "quantize_True": build_quantizer(
                QuantizerShape("plain", INNER, True), instruction_set(name), 1, "quantize_True"
            )
        },
    )
    values = np.zeros((1, INNER), np.float32)
    values[0, 32:64] = 1e-42  # subnormal
    values[0, 64:96] = 3e38
    codes, scales, sums = quantize(library, "plain", values, values[0])
    assert np.all(np.isfinite(scales))
    assert np.all(np.isfinite(sums[:, :2]))
    assert not codes[0, :64].any()
    assert sums[0, 1] == 0.0
    assert np.all(codes[0, 64:96] == 127)
