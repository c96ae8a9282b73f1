"""One tile of a linear: some rows of activations times 16 output columns, and what is added to them at the end."""

from tvm.tirx.script import builder as T

from heron.host.compiler.kernels.formats import TILE_COLUMNS, FloatFormat
from heron.host.compiler.kernels.linear_float import emit_float_block
from heron.host.compiler.kernels.linear_operands import Block, Sums, TileContext
from heron.host.compiler.kernels.linear_quantized import emit_quantized_block
from heron.host.compiler.kernels.vector import Expr, constant, load, splat, store


def emit_tile(context: TileContext, tile: Expr, first_row: Expr, rows: int) -> None:
    """Emit a whole tile of `rows` rows: sums over k, epilogue, store. Rows past the last are computed and dropped."""
    layout = context.operands.layout
    _clear(context, context.totals, rows)
    with T.serial(0, layout.num_blocks) as index:
        block = Block(tile, index, first_row, rows)
        _clear(context, context.partial, rows)
        if isinstance(context.segment.format, FloatFormat):
            emit_float_block(context, block)
        else:
            emit_quantized_block(context, context.segment.format, block)
        _add_block(context, block)
    for row in range(rows):
        with T.If(first_row + row < context.operands.num_rows), T.Then():
            _emit_output(context, tile, first_row + row, row)


def _clear(context: TileContext, sums: Sums, rows: int) -> None:
    for row in range(rows):
        for column in context.vectors:
            sums.store(row, column, constant(0.0, "float32", context.isa.lanes))


def _add_block(context: TileContext, block: Block) -> None:
    """Add the block's sums, times the scale of each row's activations, to the totals."""
    for row in range(block.rows):
        scale = block.number(context.operands, row, context.operands.layout.scale_word)
        factor = T.Bind(splat(scale, context.isa.lanes))
        for column in context.vectors:
            total = context.totals.load(row, column) + context.partial.load(row, column) * factor
            context.totals.store(row, column, total)


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
        value = context.totals.load(tile_row, column)
        if extra is not None:
            value = value + load(extra, [row] if len(extra.shape) == 2 else [], target, lanes)
        store(context.operands.output, value, [row], target, lanes)


def _emit_short_row(context: TileContext, tile: Expr, row: Expr, tile_row: int) -> None:
    extra = context.operands.extra
    with T.serial(0, context.segment.columns % TILE_COLUMNS) as column:
        target = context.segment.first_column + tile * TILE_COLUMNS + column
        value = context.totals.buffer[tile_row * TILE_COLUMNS + column]
        if extra is not None:
            value = value + (extra[row, target] if len(extra.shape) == 2 else extra[target])
        T.buffer_store(context.operands.output, value, [row, target])
