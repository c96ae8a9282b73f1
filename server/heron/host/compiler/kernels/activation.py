"""Quantising activations: float32 rows to int8 in groups of 32, with what comes before fused in.

A row gives `codes` int32 [K/4] (four int8 in [-127, 127]), `scales` float32 [K/32], and `sums` float32 [3K/32]: of the
quantised values of each 32, then of each 16, which zero points and minima of weight formats are multiplied with.

Kinds: `plain`; `rms` (RMSNorm with a gain first); `silu` (SiLU(gate) * up of rows that hold gate, then up).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tvm.script.ir_builder import IRBuilder
from tvm.tirx.script import builder as T

from heron.host.compiler.kernels.isa import InstructionSet
from heron.host.compiler.kernels.vector import (
    Expr,
    as_type,
    constant,
    load,
    reduce_max,
    reduce_sum,
    round_to_int,
    silu,
    splat,
    store,
    to_type,
)

Kind = Literal["plain", "rms", "silu"]

GROUP_K = 32
_FEW_VALUES = 8192  # fewer values than this are quantised by one thread: waking the others takes longer


@dataclass(frozen=True, slots=True)
class QuantizerShape:
    """What a quantiser computes: `inner` values a row (silu reads twice as many); `single_row` fixes M to 1."""

    kind: Kind
    inner: int
    single_row: bool
    epsilon: float = 1e-6


@dataclass(frozen=True, slots=True)
class _Buffers:
    values: Any
    gain: Any | None
    codes: Any
    scales: Any
    sums: Any


def build_quantizer(shape: QuantizerShape, isa: InstructionSet, chunks: int, name: str) -> Any:
    """A PrimFunc (values, [gain], codes, scales, sums), its rows dealt to `chunks` threads if there are many."""
    with IRBuilder() as builder, T.prim_func(s_tir=True):
        T.func_name(name)
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True, "op_pattern": 8})
        buffers, rows = _declare_buffers(shape)
        with T.sblock("root"):
            T.reads()
            T.writes()
            _emit_rows(shape, isa, buffers, (rows, chunks))
    return builder.get()


def _declare_buffers(shape: QuantizerShape) -> tuple[_Buffers, Expr]:
    values = T.arg("values", T.handle())
    gain = T.arg("gain", T.handle()) if shape.kind == "rms" else None
    outputs = [T.arg(name, T.handle()) for name in ("codes", "scales", "sums")]
    rows = T.int64(1) if shape.single_row else T.int64()
    width = shape.inner * (2 if shape.kind == "silu" else 1)
    buffers = _Buffers(
        T.match_buffer(values, (rows, width), "float32"),
        None if gain is None else T.match_buffer(gain, (shape.inner,), "float32"),
        T.match_buffer(outputs[0], (rows, shape.inner // 4), "int32"),
        T.match_buffer(outputs[1], (rows, shape.inner // GROUP_K), "float32"),
        T.match_buffer(outputs[2], (rows, 3 * shape.inner // GROUP_K), "float32"),
    )
    return buffers, rows


def _emit_rows(shape: QuantizerShape, isa: InstructionSet, buffers: _Buffers, extent: tuple[Expr, int]) -> None:
    rows, chunks = extent
    if shape.single_row:
        _emit_row(shape, isa, buffers, 0)
        return
    with T.If(rows * shape.inner < _FEW_VALUES):
        with T.Then(), T.serial(0, rows) as row:
            _emit_row(shape, isa, buffers, row)
        with T.Else(), T.parallel(0, chunks) as chunk:
            first = T.Bind(chunk * rows // chunks)
            with T.serial(0, (chunk + 1) * rows // chunks - first) as index:
                _emit_row(shape, isa, buffers, first + index)


def _emit_row(shape: QuantizerShape, isa: InstructionSet, buffers: _Buffers, row: Expr) -> None:
    read = _reader(shape, isa, buffers, row)
    with T.serial(0, shape.inner // GROUP_K) as group:
        values = [T.Bind(read(group * GROUP_K + first)) for first in range(0, GROUP_K, isa.lanes)]
        _emit_group(isa, buffers, (row, group), values)


def _reader(shape: QuantizerShape, isa: InstructionSet, buffers: _Buffers, row: Expr) -> Callable[[Expr], Expr]:
    """A function giving one vector of the values to quantise, by its first k."""
    lanes = isa.lanes

    def read(first: Expr) -> Expr:
        return load(buffers.values, [row], first, lanes)

    if shape.kind == "rms":
        factor = T.Bind(_emit_inverse_rms(shape, isa, buffers.values, row))
        return lambda first: read(first) * splat(factor, lanes) * load(buffers.gain, [], first, lanes)
    if shape.kind == "silu":
        return lambda first: silu(read(first), lanes) * read(shape.inner + first)
    return read


def _emit_inverse_rms(shape: QuantizerShape, isa: InstructionSet, values: Any, row: Expr) -> Expr:
    """1 / sqrt(mean of squares + epsilon) of a row."""
    lanes, vectors = isa.lanes, GROUP_K // isa.lanes
    squares = T.alloc_buffer((GROUP_K,), "float32", scope="global")
    for vector in range(vectors):
        store(squares, constant(0.0, "float32", lanes), [], vector * lanes, lanes)
    with T.serial(0, shape.inner // GROUP_K) as group:
        for first in range(0, GROUP_K, lanes):
            value = T.Bind(load(values, [row], group * GROUP_K + first, lanes))
            store(squares, load(squares, [], first, lanes) + value * value, [], first, lanes)
    total = load(squares, [], 0, lanes)
    for first in range(lanes, GROUP_K, lanes):
        total = total + load(squares, [], first, lanes)
    mean = reduce_sum(total, "float32") * T.float32(1.0 / shape.inner)
    return T.float32(1) / T.sqrt(mean + T.float32(shape.epsilon))


def _emit_group(isa: InstructionSet, buffers: _Buffers, place: tuple[Expr, Expr], values: list[Expr]) -> None:
    """Quantise 32 values: codes, the scale, the sum of what they stand for, and of each 16."""
    (row, group), lanes = place, isa.lanes
    largest = T.fabs(values[0])
    for value in values[1:]:
        largest = T.max(largest, T.fabs(value))
    peak = T.Bind(reduce_max(largest))
    # A peak too small for its inverse to be finite counts as zero.
    inverse = T.Bind(T.Select(peak > T.float32(1e-36), T.float32(127) / peak, T.float32(0)))
    codes = [T.Bind(round_to_int(value * splat(inverse, lanes), lanes)) for value in values]
    for index, code in enumerate(codes):
        words = as_type(to_type(code, "int8", lanes), "int32", lanes // 4) if lanes > 4 else None
        if words is None:
            word = T.reinterpret("int32", to_type(code, "int8", lanes))
            T.buffer_store(buffers.codes, word, [row, group * 8 + index])
        else:
            store(buffers.codes, words, [row], group * 8 + index * (lanes // 4), lanes // 4)
    scale = T.Bind(peak * T.float32(1.0 / 127))
    T.buffer_store(buffers.scales, scale, [row, group])
    halves = [codes[: len(codes) // 2], codes[len(codes) // 2 :]]
    first, second = (T.Bind(reduce_sum(_add_up(half), "int32")) for half in halves)
    groups = buffers.scales.shape[1]
    for column, total in ((group, first + second), (groups + group * 2, first), (groups + group * 2 + 1, second)):
        T.buffer_store(buffers.sums, T.Cast("float32", total) * scale, [row, column])


def _add_up(values: list[Expr]) -> Expr:
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total
