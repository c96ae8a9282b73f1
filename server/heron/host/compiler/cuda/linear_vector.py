"""Linear layers for few tokens: each row of weights is read once, by one warp or several, for all tokens.

A lane takes a group of 32 k with 16-byte loads and multiplies it with the int8 activations, four products an
instruction (`dp4a`); sums over a group are exact integers.
"""

from dataclasses import dataclass
from typing import Any

from tvm.tirx.script import builder as T

from heron.host.compiler.cuda.activation import QuantBuffers, Weights, declare_quantised, declare_weights
from heron.host.compiler.cuda.emit import (
    WARP,
    Expr,
    argument,
    build_kernel,
    copy_words,
    dot_bytes,
    launch,
    put,
    registers,
    shared,
    synchronize,
    warp_sum,
    when,
)
from heron.host.compiler.cuda.shapes import MAX_TOKENS, LinearShape

_WARPS = 4
_FEW_ROWS = 2048  # below, several warps share a row, or most of the device is idle


@dataclass(frozen=True, slots=True)
class _Work:
    """Arguments and registers of a kernel, and what a warp of it does."""

    shape: LinearShape
    tokens: int
    inputs: QuantBuffers
    weights: Weights
    sums: Any
    row: Expr


def linear_vector(shape: LinearShape, tokens: int) -> Any:
    """PrimFunc `(codes, scales, sums, weights…, [bias,] out)`; out float32 [·, rows] is added to if residual."""
    warps_a_row = _WARPS if shape.rows < _FEW_ROWS else 1

    def emit() -> None:
        inputs = declare_quantised(shape.inner)
        weights = declare_weights(shape.format, shape.rows, shape.inner)
        bias = argument("bias", (shape.rows,), "float32") if shape.epilogue == "bias" else None
        out = argument("out", (MAX_TOKENS, shape.rows), "float32")
        with launch([shape.rows * warps_a_row // _WARPS], _WARPS * WARP) as (block, thread):
            sums = registers(tokens, "float32")
            warp = thread // WARP
            row = T.Bind(block * (_WARPS // warps_a_row) + warp // warps_a_row)
            work = _Work(shape, tokens, inputs, weights, sums, row)
            _accumulate(work, T.Bind(thread % WARP + WARP * (warp % warps_a_row)), WARP * warps_a_row)
            totals = [warp_sum(sums[token]) for token in range(tokens)]
            if warps_a_row > 1:
                totals = _add_warps(totals, thread)
            with when(thread % (WARP * warps_a_row) == 0):
                for token, total in enumerate(totals):
                    put(out, _finish(shape, total, (bias, out), (token, row)), token, row)

    return build_kernel(f"linear_{shape.name}_m{tokens}", emit)


def _accumulate(work: _Work, first: Expr, stride: int) -> None:
    """Add up groups first, first + stride, … of the row into `sums`."""
    parts = work.shape.inner // 32
    for token in range(work.tokens):
        put(work.sums, T.float32(0), token)
    for step in range(-(-parts // stride)):
        group = T.Bind(first + step * stride)
        if (step + 1) * stride <= parts:
            _add_group(work, group)
        else:
            with when(group < parts):
                _add_group(work, group)


def _add_group(work: _Work, group: Expr) -> None:
    codes = [T.Bind(word) for word in work.weights.load(work.row, group)]
    scales = _load_halves(work.weights.scales, work.row, group, work.shape.format.groups)
    offsets = None
    if work.weights.offsets is not None:
        offsets = _load_halves(work.weights.offsets, work.row, group, work.shape.format.groups)
    for token in range(work.tokens):
        words = registers(8, "int32")
        copy_words(words, work.inputs.codes, [token, group * 8], 8)
        scale = T.Bind(work.inputs.scales[token, group])
        input_sums = registers(2, "float32")
        copy_words(input_sums, work.inputs.sums, [token, group * 2], 2)
        for index, products in enumerate(_dots(work.shape, codes, words)):
            summed = input_sums[index] if len(scales) == 2 else input_sums[0] + input_sums[1]
            value = scale * T.Cast("float32", products)
            if offsets is not None:
                total = scales[index] * value + offsets[index] * summed
            elif work.shape.format.zero_point:
                total = scales[index] * (value - T.float32(work.shape.format.zero_point) * summed)
            else:
                total = scales[index] * value
            put(work.sums, work.sums[token] + total, token)


def _dots(shape: LinearShape, codes: list[Expr], words: Any) -> list[Expr]:
    """Sums of products of a group, one for each scale."""
    step = 8 // shape.format.groups
    inputs = [words[index] for index in range(8)]
    return [T.Bind(dot_bytes(codes[at : at + step], inputs[at : at + step])) for at in range(0, 8, step)]


def _load_halves(buffer: Any, row: Expr, group: Expr, count: int) -> list[Expr]:
    halves = registers(count, "float16")
    copy_words(halves, buffer, [row, group * count], count)
    return [T.Bind(T.Cast("float32", halves[index])) for index in range(count)]


def _add_warps(totals: list[Expr], thread: Expr) -> list[Expr]:
    """The sums over the block's warps, for its first thread."""
    parts = shared([_WARPS, len(totals)], "float32")
    with when(thread % WARP == 0):
        for token, total in enumerate(totals):
            put(parts, total, thread // WARP, token)
    synchronize()
    added = []
    for token in range(len(totals)):
        total = parts[0, token]
        for warp in range(1, _WARPS):
            total = total + parts[warp, token]
        added.append(total)
    return added


def _finish(shape: LinearShape, total: Expr, buffers: tuple[Any, Any], place: tuple[Expr, Expr]) -> Expr:
    bias, out = buffers
    if shape.epilogue == "bias":
        return total + bias[place[1]]
    return total + out[place] if shape.epilogue == "residual" else total
