"""One tile of a linear: some rows of activations times 16 output columns, and what is added to them at the end."""

from tvm.tirx.script import builder as T

from heron.host.compiler.kernels.formats import TILE_COLUMNS, FloatFormat
from heron.host.compiler.kernels.linear_float import emit_float_block
from heron.host.compiler.kernels.linear_operands import Block, TileContext
from heron.host.compiler.kernels.linear_quantized import emit_quantized_block
from heron.host.compiler.kernels.vector import Expr, constant, load, store


def emit_tile(context: TileContext, tile: Expr, first_row: Expr, rows: int) -> None:
    """Emit a whole tile of `rows` rows: sums over k, epilogue, store."""
    segment = context.segment
    for row in range(rows):
        for column in context.vectors:
            context.store_total(row, column, constant(0.0, "float32", context.isa.lanes))
    with T.serial(0, segment.inner // segment.format.block_k) as index:
        block = Block(tile, index, first_row, rows)
        if isinstance(segment.format, FloatFormat):
            emit_float_block(context, block)
        else:
            emit_quantized_block(context, segment.format, block)
    for row in range(rows):
        _emit_output(context, tile, first_row + row, row)


def _emit_output(context: TileContext, tile: Expr, row: Expr, tile_row: int) -> None:
    if not context.segment.is_ragged:
        _emit_full_row(context, tile, row, tile_row)
        return
    with T.If(tile + 1 < context.segment.tiles):
        with T.Then():
            _emit_full_row(context, tile, row, tile_row)
        with T.Else():
            _emit_short_row(context, tile, row, tile_row)


def _emit_full_row(context: TileContext, tile: Expr, row: Expr, tile_row: int) -> None:
    extra, lanes = context.operands.extra, context.isa.lanes
    for column in context.vectors:
        target = context.segment.first_column + tile * TILE_COLUMNS + column
        value = context.load_total(tile_row, column)
        if extra is not None:
            value = value + load(extra, [row] if len(extra.shape) == 2 else [], target, lanes)
        store(context.operands.output, value, [row], target, lanes)


def _emit_short_row(context: TileContext, tile: Expr, row: Expr, tile_row: int) -> None:
    extra = context.operands.extra
    with T.serial(0, context.segment.columns % TILE_COLUMNS) as column:
        target = context.segment.first_column + tile * TILE_COLUMNS + column
        value = context.totals[tile_row * TILE_COLUMNS + column]
        if extra is not None:
            value = value + (extra[row, target] if len(extra.shape) == 2 else extra[target])
        T.buffer_store(context.operands.output, value, [row, target])
