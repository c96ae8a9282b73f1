"""Integer dot products of a block: weight codes times activation codes, scaled once a group."""

from dataclasses import dataclass

from tvm.tirx.script import builder as T

from heron.host.compiler.kernels.formats import PART_K, Format
from heron.host.compiler.kernels.linear_codes import CodeReader, Group
from heron.host.compiler.kernels.linear_operands import Block, TileContext
from heron.host.compiler.kernels.vector import Expr, load, prefetch, splat, to_type

WORDS_A_PART = PART_K // 4
CACHE_LINE_BYTES = 64
PREFETCH_BYTES = 8192  # measured: halves the time of 8 and 12 rows; 1024 and 2048 give less


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of 32 k meeting rows: its index along K, the first column of the vector at hand, the rows."""

    index: Expr
    column: int
    first_row: Expr
    rows: int


def emit_quantized_block(context: TileContext, data_format: Format, block: Block) -> None:
    """Emit the block's products and add them to the totals."""

    def load_bytes(offset: Expr, count: int) -> Expr:
        return load(context.segment.weights, [block.tile, block.index], offset, count)

    parts = data_format.block_k // PART_K
    readers = [CodeReader(data_format, context.isa, column) for column in context.vectors]
    shared = [reader.read_shared(load_bytes) for reader in readers]
    with T.serial(0, parts) as part:
        _prefetch_part(context, data_format, block, part)
        for reader, scales in zip(readers, shared, strict=True):
            place = _Part(block.index * parts + part, reader.first_column, block.first_row, block.rows)
            for index, group in enumerate(reader.read_groups(load_bytes, part, scales)):
                _add_group(context, data_format, place, (group, index))


def _prefetch_part(context: TileContext, data_format: Format, block: Block, part: Expr) -> None:
    """Emit hints for a part further down the stream: arithmetic on many rows keeps the processor from running ahead."""
    for line in range(0, data_format.part_bytes, CACHE_LINE_BYTES):
        offset = part * data_format.part_bytes + (line + PREFETCH_BYTES)
        prefetch(context.segment.weights, [block.tile, block.index, offset])


def _add_group(context: TileContext, data_format: Format, part: _Part, numbered: tuple[Group, int]) -> None:
    """Add weight scale · activation scale · dot + minimum · activation sum to the total of each row."""
    (group, index), lanes, operands = numbered, context.isa.lanes, context.operands
    for tile_row in range(part.rows):
        row = part.first_row + tile_row
        scale = group.scale * splat(operands.scales[row, part.index], lanes)
        total = context.load_total(tile_row, part.column) + _dot(context, data_format, group, (row, part.index)) * scale
        if group.minimum is not None:
            activation_sum = operands.sums[row, _sum_column(context, data_format, part.index, index)]
            total = total + group.minimum * splat(activation_sum, lanes)
        context.store_total(tile_row, part.column, total)


def _dot(context: TileContext, data_format: Format, group: Group, place: tuple[Expr, Expr]) -> Expr:
    row, part = place
    first = part * WORDS_A_PART + group.first_word
    words = [context.operands.codes[row, first + word] for word in range(len(group.codes))]
    return to_type(context.isa.dot(group.codes, words, data_format.bits), "float32", context.isa.lanes)


def _sum_column(context: TileContext, data_format: Format, part: Expr, group: int) -> Expr:
    """Where the activation sum of a group lies in `sums`."""
    if data_format.groups == 1:
        return part
    return context.segment.inner // PART_K + part * data_format.groups + group
