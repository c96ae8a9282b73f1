"""Each format on each instruction set against numpy, on random weights that include the extremes."""

from typing import Any

import numpy as np
import pytest
import tvm

from heron.host.compiler.kernels.formats import Segment, find_format
from heron.host.compiler.kernels.isa import instruction_set
from heron.host.compiler.kernels.linear import LinearShape, build_linear
from heron.host.compiler.pack import pack_linear
from unit.host.compiler.kernels.samples import (
    CHUNKS,
    FLOATS,
    INSTRUCTION_SETS,
    QUANTIZED,
    Rows,
    Tensor,
    compile_functions,
    dequantize,
    make_rows,
    make_tensor,
)

INNER = 512
ROWS = (*range(1, 14), 97, 109)


def build_both(name: str, shape: LinearShape) -> Any:
    """The GEMV and the GEMM of a shape, called through one function of the number of rows."""
    isa = instruction_set(name)
    shapes = {single: LinearShape(shape.segments, shape.inner, shape.epilogue, single) for single in (True, False)}
    functions = {
        f"linear_{single}": build_linear(each, isa, CHUNKS, f"linear_{single}") for single, each in shapes.items()
    }
    library = compile_functions(name, functions)
    return lambda rows: library[f"linear_{rows == 1}"]


def run(kernel: Any, weights: list[Any], rows: Rows, columns: int, extra: Any = None) -> Any:
    output = tvm.runtime.tensor(np.full((len(rows.codes), columns), np.nan, np.float32))
    extras = [] if extra is None else [tvm.runtime.tensor(extra)]
    kernel(*[tvm.runtime.tensor(weight) for weight in weights], rows.argument(), *extras, output)
    return output.numpy()


def assert_product(actual: Any, rows: Rows, tensors: list[Tensor], added: Any = 0.0) -> None:
    """Equal up to float32 sums: 2e-6 of the largest possible sum of each row."""
    weights = np.concatenate([dequantize(tensor) for tensor in tensors]).astype(np.float64)
    expected = rows.values @ weights.T + added
    bound = np.abs(rows.values).sum(1, keepdims=True) * np.abs(weights).max() + np.abs(expected)
    assert np.all(np.abs(actual - expected) <= 2e-6 * bound + 1e-30)


@pytest.mark.parametrize("type_name", QUANTIZED + FLOATS)
@pytest.mark.parametrize("name", INSTRUCTION_SETS)
def test_a_format_multiplies_as_dequantised(name: str, type_name: str) -> None:
    rng = np.random.default_rng(7)
    tensor = make_tensor(type_name, 80, INNER, rng)
    [(segment, packed)] = pack_linear([tensor])
    kernel = build_both(name, LinearShape((segment,), INNER, "none", False))
    for count in ROWS:
        rows = make_rows(count, INNER, rng)
        assert_product(run(kernel(count), [packed], rows, 80), rows, [tensor])


@pytest.mark.parametrize("epilogue", ["none", "bias", "residual"])
@pytest.mark.parametrize("name", INSTRUCTION_SETS)
def test_stacked_segments_of_uneven_columns_and_an_epilogue(name: str, epilogue: str) -> None:
    rng = np.random.default_rng(8)
    tensors = [make_tensor(*each, 64, rng) for each in (("Q5_0", 48), ("Q8_0", 24), ("Q4_1", 5))]
    packed = pack_linear(tensors)
    columns = sum(segment.columns for segment, _ in packed)
    kernel = build_both(name, LinearShape(tuple(segment for segment, _ in packed), 64, epilogue, False))
    for count in (1, 2, 13):
        rows = make_rows(count, 64, rng)
        extra = {
            "none": None,
            "bias": rng.standard_normal(columns).astype(np.float32),
            "residual": rng.standard_normal((count, columns)).astype(np.float32),
        }[epilogue]
        actual = run(kernel(count), [array for _, array in packed], rows, columns, extra)
        assert_product(actual, rows, tensors, 0.0 if extra is None else extra)


@pytest.mark.parametrize("type_name", ["Q5_0", "Q4_K", "Q6_K", "F16"])
@pytest.mark.parametrize("name", INSTRUCTION_SETS)
def test_a_row_gets_the_same_bits_in_every_company(name: str, type_name: str) -> None:
    rng = np.random.default_rng(11)
    tensor = make_tensor(type_name, 16, INNER, rng)
    [(segment, packed)] = pack_linear([tensor])
    kernel = build_both(name, LinearShape((segment,), INNER, "none", False))
    rows = make_rows(29, INNER, rng)
    expected = run(kernel(29), [packed], rows, 16)
    for count in range(1, 14):
        for first in (0, 5):
            some = Rows(rows.codes[first : first + count], rows.scales[first : first + count])
            np.testing.assert_array_equal(run(kernel(count), [packed], some, 16), expected[first : first + count])


@pytest.mark.parametrize("inner", [64, 96, 128, 192, 256])
def test_blocks_of_activations_of_every_size(inner: int) -> None:
    rng = np.random.default_rng(12)
    name = "Q4_K" if inner == 256 else "Q5_0"
    tensor = make_tensor(name, 16, inner, rng)
    [(segment, packed)] = pack_linear([tensor])
    kernel = build_both("portable", LinearShape((segment,), inner, "none", False))
    for count in (1, 5):
        rows = make_rows(count, inner, rng)
        assert_product(run(kernel(count), [packed], rows, 16), rows, [tensor])


@pytest.mark.parametrize("chunks", [1, 2, 5, 64])
def test_any_number_of_chunks_covers_every_column(chunks: int) -> None:
    rng = np.random.default_rng(9)
    tensor = make_tensor("Q4_0", 7 * 16, 64, rng)
    [(segment, packed)] = pack_linear([tensor])
    shape = LinearShape((segment,), 64, "none", True)
    kernel = compile_functions("portable", {"f": build_linear(shape, instruction_set("portable"), chunks, "f")})["f"]
    rows = make_rows(1, 64, rng)
    assert_product(run(kernel, [packed], rows, 112), rows, [tensor])


def test_all_instruction_sets_give_the_same_numbers_to_rounding() -> None:
    rng = np.random.default_rng(10)
    tensor = make_tensor("Q8_0", 32, 256, rng)
    [(segment, packed)] = pack_linear([tensor])
    rows = make_rows(5, 256, rng)
    shape = LinearShape((segment,), 256, "none", False)
    results = [run(build_both(name, shape)(5), [packed], rows, 32) for name in INSTRUCTION_SETS]
    for result in results[1:]:
        np.testing.assert_allclose(result, results[0], rtol=1e-4, atol=1e-4 * np.abs(results[0]).max())


def test_inputs_that_no_block_fits_are_refused() -> None:
    with pytest.raises(ValueError, match="Q4_K needs a multiple of 256 inputs, not 96"):
        LinearShape((Segment(find_format("Q4_K"), 16),), 96, "none", True)
