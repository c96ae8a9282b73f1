"""Quantised linears: activations in int8 times packed weights, as one TIR function of several weight segments."""

from dataclasses import dataclass
from typing import Any, Literal

from tvm.script.ir_builder import IRBuilder
from tvm.tirx.script import builder as T

from heron.host.compiler.kernels.formats import TILE_COLUMNS, Segment
from heron.host.compiler.kernels.isa import InstructionSet
from heron.host.compiler.kernels.linear_operands import Operands, Sums, TileContext, TileSegment
from heron.host.compiler.kernels.linear_tile import emit_tile
from heron.host.compiler.kernels.quantized_rows import RowLayout
from heron.host.compiler.kernels.vector import Expr

Epilogue = Literal["none", "bias", "residual"]

_PANEL_ROWS = 96  # rows whose activations stay in the second-level cache while all column tiles pass over them


@dataclass(frozen=True, slots=True)
class LinearShape:
    """What a linear computes: the segments' columns side by side from `inner` inputs; `single_row` fixes M to 1."""

    segments: tuple[Segment, ...]
    inner: int
    epilogue: Epilogue
    single_row: bool

    def __post_init__(self) -> None:
        for segment in self.segments:
            if self.inner % segment.format.block_k:
                raise ValueError(
                    f"{segment.format.name} needs a multiple of {segment.format.block_k} inputs, not {self.inner}"
                )

    @property
    def columns(self) -> int:
        return sum(segment.columns for segment in self.segments)


def build_linear(shape: LinearShape, isa: InstructionSet, chunks: int, name: str) -> Any:
    """A PrimFunc (weights of each segment…, activation, [bias | residual], output) for `chunks` threads.

    `activation` is int32 [M + SPARE_ROWS, words], or [1, words] for a single row, as `quantized_rows` describes it.
    """
    with IRBuilder() as builder, T.prim_func(s_tir=True):
        T.func_name(name)
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True, "op_pattern": 8})
        segments, operands = _declare_buffers(shape)
        with T.sblock("root"):
            T.reads()
            T.writes()
            with T.parallel(0, chunks) as chunk:
                for segment in segments:
                    sums = _scratch(shape, isa), _scratch(shape, isa)
                    _emit_share(shape, TileContext(isa, operands, segment, *sums), (chunk, chunks))
    return builder.get()


def _declare_buffers(shape: LinearShape) -> tuple[list[TileSegment], Operands]:
    handles = [T.arg(f"weights_{index}", T.handle()) for index in range(len(shape.segments))]
    activation = T.arg("activation", T.handle())
    extra = None if shape.epilogue == "none" else T.arg("extra", T.handle())
    output = T.arg("output", T.handle())
    rows, activation_rows = (T.int64(1) if shape.single_row else T.int64() for _ in range(2))
    layout = RowLayout(shape.inner)
    segments, first_column = [], 0
    for handle, segment in zip(handles, shape.segments, strict=True):
        weights = T.match_buffer(handle, segment.format.packed_shape(segment.columns, shape.inner), "uint8")
        segments.append(TileSegment(weights, segment.format, first_column, segment.columns))
        first_column += segment.columns
    operands = Operands(
        T.match_buffer(activation, (activation_rows, layout.row_words), "int32"),
        layout,
        None if extra is None else T.match_buffer(extra, _extra_shape(shape, rows), "float32"),
        T.match_buffer(output, (rows, shape.columns), "float32"),
    )
    return segments, operands


def _extra_shape(shape: LinearShape, rows: Expr) -> tuple[Expr, ...]:
    return (rows, shape.columns) if shape.epilogue == "residual" else (shape.columns,)


def _scratch(shape: LinearShape, isa: InstructionSet) -> Sums:
    # Not scope "local": on a CPU that becomes a heap allocation, and the sums would not stay in registers.
    rows = 1 if shape.single_row else isa.row_tiles[0]
    return Sums(T.alloc_buffer((rows * TILE_COLUMNS,), "float32", scope="global"), isa.lanes)


def _emit_share(shape: LinearShape, context: TileContext, share: tuple[Expr, int]) -> None:
    """Emit one thread's share of a segment: an even part of its tiles."""
    (chunk, chunks), tiles = share, context.segment.tiles
    first = T.Bind(chunk * tiles // chunks)
    count = T.Bind((chunk + 1) * tiles // chunks - first)
    if shape.single_row:
        with T.serial(0, count) as index:
            emit_tile(context, first + index, 0, 1)
    else:
        _emit_panels(context, (first, count), context.operands.num_rows)


def _emit_panels(context: TileContext, tiles: tuple[Expr, Expr], rows: Expr) -> None:
    """Emit the loops over panels of rows, over the tiles, and over row tiles within the panel."""
    first, count = tiles
    with T.serial(0, (rows + (_PANEL_ROWS - 1)) // _PANEL_ROWS) as panel, T.serial(0, count) as index:
        tile = T.Bind(first + index)
        start = T.Bind(panel * _PANEL_ROWS)
        _emit_row_tiles(context, tile, start, T.Bind(T.min(rows - start, T.int64(_PANEL_ROWS))))


def _emit_row_tiles(context: TileContext, tile: Expr, start: Expr, rows: Expr) -> None:
    """Emit as many of the largest row tile as are filled, then the smallest that holds the rest: one pass for it."""
    largest, *smaller = context.isa.row_tiles
    rest = T.Bind(rows % largest)
    full = rows // largest + T.Cast("int64", rest > smaller[0])
    with T.serial(0, full) as index:
        emit_tile(context, tile, T.Bind(start + index * largest), largest)
    first = T.Bind(start + rows - rest)
    for size, next_size in zip(smaller, [*smaller[1:], 0], strict=True):
        with T.If(T.And(rest <= size, rest > next_size)), T.Then():
            emit_tile(context, tile, first, size)
