"""The arithmetic that TIR has no good form of, against numpy over its whole range."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tvm
from tvm.script.ir_builder import IRBuilder
from tvm.tirx.script import builder as T

from heron.host.compiler.kernels import vector
from unit.host.compiler.kernels.samples import compile_functions

LANES = 4


def apply(function: Callable[[Any, int], Any], values: Any, source: str, result: str) -> Any:
    """`function` over an array, on the portable instruction set."""
    count = len(values)
    with IRBuilder() as builder, T.prim_func(s_tir=True):
        T.func_name("f")
        handles = [T.arg(name, T.handle()) for name in ("source", "result")]
        inputs = T.match_buffer(handles[0], (count,), source)
        outputs = T.match_buffer(handles[1], (count,), result)
        with T.serial(0, count // LANES) as index:
            value = T.Bind(vector.load(inputs, [], index * LANES, LANES))
            vector.store(outputs, function(value, LANES), [], index * LANES, LANES)
    output = tvm.runtime.tensor(np.zeros(count, result))
    compile_functions("portable", {"f": builder.get()})["f"](tvm.runtime.tensor(values), output)
    return output.numpy()


def test_every_finite_half_becomes_its_float() -> None:
    bits = np.arange(1 << 16, dtype=np.uint16)
    finite = bits[np.isfinite(bits.view(np.float16))]
    actual = apply(vector.half_bits_to_float, finite, "uint16", "float32")
    expected = finite.view(np.float16).astype(np.float32)
    np.testing.assert_array_equal(actual.view(np.uint32), expected.view(np.uint32))


def test_rounding_is_to_even() -> None:
    values = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 126.5, -126.5, 127.0, 0.49999997, -3.7, 0.0, 4194303.0], np.float32)
    np.testing.assert_array_equal(apply(vector.round_to_int, values, "float32", "int32"), np.rint(values))


def test_exp_over_its_range() -> None:
    values = np.linspace(-87.0, 87.0, 100_000, dtype=np.float32)
    np.testing.assert_allclose(
        apply(vector.exp, values, "float32", "float32"), np.exp(values.astype(np.float64)), rtol=8e-6
    )


@pytest.mark.parametrize(("value", "limit"), [(-1e4, 2.0**-126), (1e4, 2.0**126)])
def test_exp_is_clamped(value: float, limit: float) -> None:
    actual = apply(vector.exp, np.full(LANES, value, np.float32), "float32", "float32")
    np.testing.assert_allclose(actual, limit, rtol=1e-6)


def test_silu() -> None:
    values = np.linspace(-90.0, 90.0, 10_000, dtype=np.float32)
    exact = values.astype(np.float64)
    np.testing.assert_allclose(
        apply(vector.silu, values, "float32", "float32"), exact / (1 + np.exp(-exact)), rtol=1e-5, atol=1e-30
    )
