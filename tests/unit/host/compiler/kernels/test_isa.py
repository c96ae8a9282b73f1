"""`dot` of each instruction set: exact for every code width, also where int16 sums are at their largest."""

from typing import Any

import numpy as np
import pytest
import tvm
from hypothesis import given, settings
from hypothesis import strategies as st
from tvm.script.ir_builder import IRBuilder
from tvm.tirx.script import builder as T

from heron.host.compiler.kernels.isa import instruction_set
from heron.host.compiler.kernels.vector import constant, load, store
from unit.host.compiler.kernels.samples import INSTRUCTION_SETS, compile_functions

GROUPS = 8
START = -70_000


def build_dot(name: str, bits: int) -> Any:
    """A kernel: codes uint8 [8, 4 * lanes], words int32 [8], output int32 [lanes]."""
    isa = instruction_set(name)
    with IRBuilder() as builder, T.prim_func(s_tir=True):
        T.func_name("dot")
        handles = [T.arg(each, T.handle()) for each in ("codes", "words", "output")]
        codes = T.match_buffer(handles[0], (GROUPS, 4 * isa.lanes), "uint8")
        words = T.match_buffer(handles[1], (GROUPS,), "int32")
        output = T.match_buffer(handles[2], (isa.lanes,), "int32")
        rows = [T.Bind(load(codes, [group], 0, 4 * isa.lanes)) for group in range(GROUPS)]
        start = constant(START, "int32", isa.lanes)
        store(output, isa.dot(rows, [words[group] for group in range(GROUPS)], bits, start), [], 0, isa.lanes)
    return compile_functions(name, {"dot": builder.get()})["dot"]


def check(kernel: Any, name: str, bits: int, codes: Any, activations: Any) -> None:
    isa = instruction_set(name)
    output = tvm.runtime.tensor(np.zeros(isa.lanes, np.int32))
    kernel(tvm.runtime.tensor(codes), tvm.runtime.tensor(activations.reshape(-1).view(np.int32)), output)
    weights = codes.astype(np.int64).reshape(GROUPS, isa.lanes, 4) - (128 - isa.byte_zero_point if bits == 8 else 0)
    expected = START + (weights * activations.astype(np.int64)[:, None, :]).sum((0, 2))
    np.testing.assert_array_equal(output.numpy(), expected)


@pytest.mark.parametrize("bits", [4, 5, 6, 8])
@pytest.mark.parametrize("name", INSTRUCTION_SETS)
def test_dot_is_exact(name: str, bits: int) -> None:
    kernel, lanes = build_dot(name, bits), instruction_set(name).lanes

    @settings(max_examples=60, deadline=None)
    @given(
        seed=st.integers(0, 2**32 - 1),
        extreme=st.sampled_from([None, 0, (1 << bits) - 1]),
        sign=st.sampled_from([-1, 0, 1]),
    )
    def holds(seed: int, extreme: int | None, sign: int) -> None:
        rng = np.random.default_rng(seed)
        codes = rng.integers(0, 1 << bits, (GROUPS, 4 * lanes), dtype=np.uint8)
        activations = rng.integers(-127, 128, (GROUPS, 4), dtype=np.int8)
        if extreme is not None:
            codes[:] = extreme
        if sign:
            activations[:] = 127 * sign
        check(kernel, name, bits, codes, activations)

    holds()
