"""What the parts of a linear kernel hand one another while it is emitted."""

from dataclasses import dataclass
from typing import Any

from tvm.tirx.script import builder as T

from heron.host.compiler.kernels.formats import PART_K, TILE_COLUMNS, PackedFormat
from heron.host.compiler.kernels.isa import InstructionSet
from heron.host.compiler.kernels.quantized_rows import RowLayout
from heron.host.compiler.kernels.vector import Expr, load, store


@dataclass(frozen=True, slots=True)
class Operands:
    """The buffers of a kernel: `activation` int32 [M + spare, words] as `layout` says, `output` float32 [M, N].

    `extra` is the bias [N] or the residual [M, N], by its rank; None without an epilogue.
    """

    activation: Any
    layout: RowLayout
    extra: Any | None
    output: Any

    @property
    def num_rows(self) -> Expr:
        return self.output.shape[0]


@dataclass(frozen=True, slots=True)
class TileSegment:
    """A segment inside a kernel: its packed weights, its format, and the output columns it fills."""

    weights: Any
    format: PackedFormat
    first_column: int
    columns: int

    @property
    def tiles(self) -> int:
        return -(-self.columns // TILE_COLUMNS)

    @property
    def is_ragged(self) -> bool:
        """Whether the last tile is only partly filled."""
        return self.columns % TILE_COLUMNS != 0


@dataclass(frozen=True, slots=True)
class Sums:
    """float32 scratch in registers: 16 columns for each row of the largest row tile."""

    buffer: Any
    lanes: int

    def load(self, row: int, column: int) -> Expr:
        """The sum of one vector of columns; `row` counts within the tile."""
        return load(self.buffer, [], row * TILE_COLUMNS + column, self.lanes)

    def store(self, row: int, column: int, value: Expr) -> None:
        """Emit the store of one vector's sum."""
        store(self.buffer, value, [], row * TILE_COLUMNS + column, self.lanes)


@dataclass(frozen=True, slots=True)
class TileContext:
    """Where a tile is emitted. `totals` are of the whole row; `partial` of one block, in units of its scale."""

    isa: InstructionSet
    operands: Operands
    segment: TileSegment
    totals: Sums
    partial: Sums

    @property
    def vectors(self) -> range:
        """First columns of the vectors that make up a tile."""
        return range(0, TILE_COLUMNS, self.isa.lanes)


@dataclass(frozen=True, slots=True)
class Block:
    """A block of activations meeting a tile of weights: the tile, the block's index along K, first row, how many."""

    tile: Expr
    index: Expr
    first_row: Expr
    rows: int

    def word(self, operands: Operands, tile_row: int, offset: Expr) -> Expr:
        """The int32 at `offset` of the block in one row."""
        return operands.activation[self.first_row + tile_row, self.index * operands.layout.block_words + offset]

    def words(self, operands: Operands, tile_row: int, offset: Expr, count: int) -> Expr:
        """`count` neighbouring words of a row, as a vector."""
        first = self.index * operands.layout.block_words + offset
        return load(operands.activation, [self.first_row + tile_row], first, count)

    def number(self, operands: Operands, tile_row: int, offset: Expr) -> Expr:
        """The float32 at `offset` of the block in one row."""
        return T.reinterpret("float32", self.word(operands, tile_row, offset))

    def find_weights(self, context: TileContext, part: Expr) -> tuple[Expr, Expr]:
        """The block of weights that part `part` (32 k) meets, and which part of that block it is."""
        layout, parts = context.operands.layout, context.segment.format.block_k // PART_K
        if parts <= layout.num_parts:
            place = self.index * layout.num_parts + part
            return (place, T.int64(0)) if parts == 1 else (place // parts, place % parts)
        blocks = parts // layout.num_parts
        return self.index // blocks, self.index % blocks * layout.num_parts + part
