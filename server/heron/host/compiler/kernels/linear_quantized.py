"""Integer dot products of a block: weight codes times activation codes, scaled once a group."""

from dataclasses import dataclass

from tvm.tirx.script import builder as T

from heron.host.compiler.kernels.formats import PART_K, Format
from heron.host.compiler.kernels.linear_codes import CodeReader, Group, LoadBytes
from heron.host.compiler.kernels.linear_operands import Block, TileContext
from heron.host.compiler.kernels.vector import Expr, constant, load, prefetch, splat, to_type

WORDS_A_PART = PART_K // 4
CACHE_LINE_BYTES = 64
PREFETCH_BYTES = 8192  # measured: halves the time of 8 and 12 rows; 1024 and 2048 give less


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of 32 k of a block: its index within the block, and the first column of the vector at hand."""

    block: Block
    index: Expr
    column: int


def emit_quantized_block(context: TileContext, data_format: Format, block: Block) -> None:
    """Emit the block's products in units of the activations' scale and add them to the partial sums."""
    first_index, _ = block.find_weights(context, T.int64(0))
    readers = [CodeReader(data_format, context.isa, column) for column in context.vectors]
    load_first = _loader(context, block.tile, first_index)
    shared = [reader.read_shared(load_first) for reader in readers]
    with T.serial(0, context.operands.layout.num_parts) as part:
        weights_index, weights_part = block.find_weights(context, part)
        load_bytes = _loader(context, block.tile, weights_index)
        _prefetch_part(context, data_format, (block.tile, weights_index, weights_part))
        for reader, scales in zip(readers, shared, strict=True):
            place = _Part(block, part, reader.first_column)
            for index, group in enumerate(reader.read_groups(load_bytes, weights_part, scales)):
                _add_group(context, data_format, place, (group, index))


def _loader(context: TileContext, tile: Expr, index: Expr) -> LoadBytes:
    return lambda offset, count: load(context.segment.weights, [tile, index], offset, count)


def _prefetch_part(context: TileContext, data_format: Format, place: tuple[Expr, Expr, Expr]) -> None:
    """Emit hints for a part further down the stream: arithmetic on many rows keeps the processor from running ahead."""
    tile, index, part = place
    for line in range(0, data_format.part_bytes, CACHE_LINE_BYTES):
        offset = part * data_format.part_bytes + (line + PREFETCH_BYTES)
        prefetch(context.segment.weights, [tile, index, offset])


def _add_group(context: TileContext, data_format: Format, part: _Part, numbered: tuple[Group, int]) -> None:
    """Add weight scale · dot + minimum · sum of activation codes to the partial sum of each row."""
    (group, index), lanes, layout = numbered, context.isa.lanes, context.operands.layout
    sums = layout.sums_word + part.index * layout.sum_words
    for tile_row in range(part.block.rows):
        dot = to_type(_dot(context, data_format, (group, index), (part, tile_row)), "float32", lanes)
        total = context.partial.load(tile_row, part.column) + dot * group.scale
        if group.minimum is not None:
            activation_sum = part.block.number(context.operands, tile_row, sums)
            total = total + group.minimum * splat(activation_sum, lanes)
        context.partial.store(tile_row, part.column, total)


def _dot(context: TileContext, data_format: Format, numbered: tuple[Group, int], place: tuple[_Part, int]) -> Expr:
    """Σ (code − zero point) · activation code of a group, exact in int32."""
    (group, index), (part, tile_row) = numbered, place
    operands, lanes = context.operands, context.isa.lanes
    first = part.index * WORDS_A_PART + group.first_word
    words = [part.block.word(operands, tile_row, first + word) for word in range(len(group.codes))]
    zero_point = _zero_point(context, data_format)
    start = constant(0, "int32", lanes)
    if zero_point:
        layout = operands.layout
        column = layout.sums_word + part.index * layout.sum_words + (1 if data_format.groups == 1 else 2 + index)
        start = splat(part.block.word(operands, tile_row, column) * T.int32(zero_point), lanes)
    return context.isa.dot(group.codes, words, data_format.bits, start)


def _zero_point(context: TileContext, data_format: Format) -> int:
    """What the codes that `dot` sees are offset by."""
    return context.isa.byte_zero_point if data_format.bits == 8 else data_format.zero_point
