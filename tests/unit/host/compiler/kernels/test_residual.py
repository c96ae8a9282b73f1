"""Norms and biases behind a linear, and capped logits, against numpy."""

from typing import Any

import numpy as np
import pytest
import tvm

from heron.host.compiler.kernels.residual import RowShape, add_vector, cap_rows, normalize_and_add
from unit.host.compiler.kernels.test_attention import LANES, compile_kernel, target_of

WIDTH = 96


def run(function: Any, name: str, *inputs: Any) -> Any:
    out = tvm.runtime.tensor(np.full_like(inputs[0], np.nan))
    compile_kernel(function, target_of(name))(*map(tvm.runtime.tensor, inputs), out)
    return out.numpy()


@pytest.mark.parametrize("count", [1, 7])
@pytest.mark.parametrize("name", LANES)
def test_agrees_with_numpy(name: str, count: int) -> None:
    random, shape = np.random.default_rng(0), RowShape(WIDTH, LANES[name], count == 1)
    added, residual = (random.standard_normal((count, WIDTH)).astype(np.float32) * 3 for _ in range(2))
    gain = random.standard_normal(WIDTH).astype(np.float32)
    normed = added / np.sqrt((added.astype(np.float64) ** 2).mean(1, keepdims=True) + 1e-5)
    found = run(normalize_and_add(shape, 1e-5), name, added, residual, gain)
    np.testing.assert_allclose(found, residual + normed * gain, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(run(add_vector(shape), name, added, gain), added + gain)
    np.testing.assert_allclose(run(cap_rows(shape, 2.0), name, added), 2 * np.tanh(added / 2), atol=2e-6)
