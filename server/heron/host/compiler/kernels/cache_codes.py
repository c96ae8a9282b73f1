"""Keys and values as int8: codes in [-127, 127] and a scale for each 32 dimensions of a token.

A scale is stored as the upper 16 bits of its float32, rounded up, and the codes are formed with what was stored: it
takes no instruction that some processors lack, has float32's range, and its coarseness costs range, not accuracy.
"""

from functools import reduce
from typing import Any

from tvm.tirx.script import builder as T

from heron.host.compiler.kernels.pages import PAGE_SIZE, SCALED_DIMENSIONS, AttentionShape
from heron.host.compiler.kernels.vector import (
    Expr,
    as_type,
    constant,
    load,
    reduce_max,
    round_to_int,
    splat,
    store,
    to_type,
)

_SMALLEST_PEAK = 1e-30  # below it a group counts as zero, for the inverse of its scale might not be finite


def quantize(shape: AttentionShape, values: Any) -> tuple[Any, list[Expr]]:
    """Codes int8 [head_size] of float32 values, and the int16 bits of each group's scale."""
    codes = T.alloc_buffer((shape.head_size,), "int8")
    scales = []
    for first in range(0, shape.head_size, SCALED_DIMENSIONS):
        starts = range(first, min(first + SCALED_DIMENSIONS, shape.head_size), shape.lanes)
        vectors = [T.bind(load(values, [], start, shape.lanes)) for start in starts]
        peak = T.bind(reduce_max(T.bind(reduce(T.max, [T.fabs(vector) for vector in vectors]))))
        bits = T.bind(_upper_bits(peak * T.float32(1 / 127)))
        scale = T.reinterpret("float32", T.shift_left(bits, T.int32(16)))
        inverse = T.bind(T.Select(peak > T.float32(_SMALLEST_PEAK), T.float32(1) / scale, T.float32(0)))
        for start, vector in zip(starts, vectors, strict=True):
            code = round_to_int(vector * splat(inverse, shape.lanes), shape.lanes)
            store(codes, to_type(code, "int8", shape.lanes), [], start, shape.lanes)
        scales.append(T.bind(T.Cast("int16", bits)))
    return codes, scales


def store_scale(shape: AttentionShape, pool: Any, place: tuple[list[Expr], Expr], scale: Expr) -> None:
    """Write the bits of scale `place[1]` of a page."""
    page, index = place
    store(pool, T.reinterpret("int8x2", scale), page, _scales_start(shape) + 2 * index, 2)


def read_scales(shape: AttentionShape, pool: Any, page: list[Expr]) -> Any:
    """All scales of a page's keys, or values, as float32 scratch in their order."""
    lanes, count = shape.lanes, shape.scale_groups * PAGE_SIZE
    scales = T.alloc_buffer((count,), "float32")
    for start in range(0, count, lanes):
        halves = as_type(load(pool, page, _scales_start(shape) + 2 * start, 2 * lanes), "int16", lanes)
        bits = T.shift_left(to_type(halves, "int32", lanes), constant(16, "int32", lanes))
        store(scales, as_type(bits, "float32", lanes), [], start, lanes)
    return scales


def widen_codes(shape: AttentionShape, codes: Expr) -> Expr:
    """A vector of codes as float32."""
    return to_type(to_type(codes, "int32", shape.lanes), "float32", shape.lanes)


def _scales_start(shape: AttentionShape) -> int:
    return PAGE_SIZE * shape.head_size


def _upper_bits(value: Expr) -> Expr:
    """The upper 16 bits of a float32 that is not negative, rounded up."""
    return T.shift_right(T.reinterpret("int32", value) + T.int32(0xFFFF), T.int32(16))
