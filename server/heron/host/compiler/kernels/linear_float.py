"""Blocks of floating-point weights: each k's activation code times a row of 16 weights, in float32 throughout."""

from tvm.tirx.script import builder as T

from heron.host.compiler.kernels.formats import PART_K, TILE_COLUMNS
from heron.host.compiler.kernels.linear_operands import Block, TileContext
from heron.host.compiler.kernels.vector import Expr, as_type, constant, load, to_type


def emit_float_block(context: TileContext, block: Block) -> None:
    """Emit the block's products, as many k at a time as a vector has lanes, and add them to the partial sums."""
    lanes = context.isa.lanes
    with T.serial(0, context.operands.layout.num_parts) as part, T.serial(0, PART_K // lanes) as run:
        for column in context.vectors:
            weights = [_load_weights(context, (block, part), run * lanes + k, column) for k in range(lanes)]
            for tile_row in range(block.rows):
                values = _load_activations(context, block, tile_row, part * (PART_K // 4) + run * (lanes // 4))
                total = context.partial.load(tile_row, column)
                for k, weight in enumerate(weights):
                    total = total + T.Shuffle([values], [k] * lanes) * weight
                context.partial.store(tile_row, column, total)


def _load_weights(context: TileContext, place: tuple[Block, Expr], k: Expr, column: int) -> Expr:
    """float32 lanes of one k of a part."""
    isa, name = context.isa, context.segment.format.name
    item_bytes = 4 if name == "F32" else 2
    offset = (k * TILE_COLUMNS + column) * item_bytes
    (block, part) = place
    index, _ = block.find_weights(context, part)
    raw = load(context.segment.weights, [block.tile, index], offset, item_bytes * isa.lanes)
    if name == "F32":
        return T.Bind(as_type(raw, "float32", isa.lanes))
    bits = as_type(raw, "uint16", isa.lanes)
    if name == "F16":
        return T.Bind(isa.half_to_float(bits))
    high = T.shift_left(to_type(bits, "uint32", isa.lanes), constant(16, "uint32", isa.lanes))
    return T.Bind(as_type(high, "float32", isa.lanes))


def _load_activations(context: TileContext, block: Block, tile_row: int, first: Expr) -> Expr:
    """The activation codes of `lanes` k, from word `first` of the block on, as float32 lanes."""
    lanes, operands = context.isa.lanes, context.operands
    words = block.words(operands, tile_row, first, lanes // 4) if lanes > 4 else block.word(operands, tile_row, first)
    return T.Bind(to_type(to_type(as_type(words, "int8", lanes), "int32", lanes), "float32", lanes))
