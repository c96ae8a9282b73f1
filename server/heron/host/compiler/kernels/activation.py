"""Quantising activations: float32 rows to int8 in blocks, laid out as `quantized_rows` says, with what comes before
fused in.

Kinds: `plain`; `rms` (RMSNorm with a gain first); `layer` (LayerNorm with a gain and a bias first); `gelu`; `silu_gate`
and `gelu_gate` (the activation of gate, times up, of rows that hold gate, then up). A `factor` multiplies all of them:
it goes into the scales and costs nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tvm.script.ir_builder import IRBuilder
from tvm.tirx.script import builder as T

from heron.host.compiler.kernels.activation_codes import Target, declare_scratch, emit_block
from heron.host.compiler.kernels.isa import InstructionSet
from heron.host.compiler.kernels.quantized_rows import PART_K, RowLayout
from heron.host.compiler.kernels.vector import (
    Expr,
    constant,
    gelu,
    load,
    reduce_sum,
    silu,
    splat,
    store,
)

Kind = Literal["plain", "rms", "layer", "gelu", "silu_gate", "gelu_gate"]
_NUM_VECTORS: Mapping[Kind, int] = {"rms": 1, "layer": 2}
"""How many vectors (gain, bias) a kind reads."""

_FEW_VALUES = 8192  # fewer values than this are quantised by one thread: waking the others takes longer


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is quantised: the values themselves, or what a kind makes of them, times `factor`."""

    kind: Kind = "plain"
    epsilon: float = 1e-6
    """of the norms"""
    factor: float = 1.0

    @property
    def is_gated(self) -> bool:
        """Whether rows are twice as wide as what is quantised."""
        return self.kind.endswith("_gate")


@dataclass(frozen=True, slots=True)
class QuantizerShape:
    """What a quantiser computes: `inner` values a row; `single_row` fixes M to 1."""

    recipe: Recipe
    inner: int
    single_row: bool


@dataclass(frozen=True, slots=True)
class _Buffers:
    values: Any
    vectors: tuple[Any, ...]
    words: Any


def build_quantizer(shape: QuantizerShape, isa: InstructionSet, chunks: int, name: str) -> Any:
    """A PrimFunc (values, [gain, [bias]], activation); many rows are dealt to `chunks` threads."""
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
    vectors = [T.arg(f"vector_{index}", T.handle()) for index in range(_NUM_VECTORS.get(shape.recipe.kind, 0))]
    activation = T.arg("activation", T.handle())
    rows, written = (T.int64(1) if shape.single_row else T.int64() for _ in range(2))
    width = shape.inner * (2 if shape.recipe.is_gated else 1)
    buffers = _Buffers(
        T.match_buffer(values, (rows, width), "float32"),
        tuple(T.match_buffer(vector, (shape.inner,), "float32") for vector in vectors),
        T.match_buffer(activation, (written, RowLayout(shape.inner).row_words), "int32"),
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
    layout = RowLayout(shape.inner)
    target = Target(isa, layout, buffers.words, *declare_scratch(isa, layout), shape.recipe.factor)
    with T.serial(0, layout.num_blocks) as block:
        emit_block(target, (row, block), read)


def _reader(shape: QuantizerShape, isa: InstructionSet, buffers: _Buffers, row: Expr) -> Callable[[Expr], Expr]:
    """A function giving one vector of the values to quantise, by its first k."""
    lanes = isa.lanes

    def read(first: Expr) -> Expr:
        return load(buffers.values, [row], first, lanes)

    if shape.recipe.kind in ("rms", "layer"):
        return _normed_reader(shape, isa, buffers, read)
    if shape.recipe.kind == "gelu":
        return lambda first: gelu(read(first), lanes)
    if shape.recipe.is_gated:
        activate = silu if shape.recipe.kind == "silu_gate" else gelu
        return lambda first: activate(read(first), lanes) * read(shape.inner + first)
    return read


def _normed_reader(
    shape: QuantizerShape, isa: InstructionSet, buffers: _Buffers, read: Callable[[Expr], Expr]
) -> Callable[[Expr], Expr]:
    """`read` after RMSNorm with a gain, or after LayerNorm with a gain and a bias."""
    lanes = isa.lanes
    if shape.recipe.kind == "rms":
        factor = T.Bind(_emit_inverse_root(shape, isa, read))
        return lambda first: read(first) * splat(factor, lanes) * load(buffers.vectors[0], [], first, lanes)
    mean = T.Bind(_emit_sum(shape, isa, read) * T.float32(1.0 / shape.inner))

    def read_centred(first: Expr) -> Expr:
        return read(first) - splat(mean, lanes)

    inverse = T.Bind(_emit_inverse_root(shape, isa, read_centred))
    gain, bias = buffers.vectors
    return lambda first: (
        read_centred(first) * splat(inverse, lanes) * load(gain, [], first, lanes) + load(bias, [], first, lanes)
    )


def _emit_inverse_root(shape: QuantizerShape, isa: InstructionSet, read: Callable[[Expr], Expr]) -> Expr:
    """1 / sqrt(mean of squares + epsilon) of a row."""

    def read_square(first: Expr) -> Expr:
        value = T.Bind(read(first))
        return value * value

    mean = _emit_sum(shape, isa, read_square) * T.float32(1.0 / shape.inner)
    return T.float32(1) / T.sqrt(mean + T.float32(shape.recipe.epsilon))


def _emit_sum(shape: QuantizerShape, isa: InstructionSet, read: Callable[[Expr], Expr]) -> Expr:
    """The sum of a row's values."""
    lanes = isa.lanes
    sums = T.alloc_buffer((PART_K,), "float32", scope="global")
    for first in range(0, PART_K, lanes):
        store(sums, constant(0.0, "float32", lanes), [], first, lanes)
    with T.serial(0, shape.inner // PART_K) as group:
        for first in range(0, PART_K, lanes):
            store(sums, load(sums, [], first, lanes) + read(group * PART_K + first), [], first, lanes)
    total = load(sums, [], 0, lanes)
    for first in range(lanes, PART_K, lanes):
        total = total + load(sums, [], first, lanes)
    return reduce_sum(total, "float32")
