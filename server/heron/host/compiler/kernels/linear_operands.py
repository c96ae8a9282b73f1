"""What the parts of a linear kernel hand one another while it is emitted."""

from dataclasses import dataclass
from typing import Any

from heron.host.compiler.kernels.formats import TILE_COLUMNS, PackedFormat
from heron.host.compiler.kernels.isa import InstructionSet
from heron.host.compiler.kernels.vector import Expr, load, store


@dataclass(frozen=True, slots=True)
class Operands:
    """The buffers of a kernel. `extra` is the bias [N] or the residual [M, N], by its rank; None without an epilogue.

    `codes` int32 [M, K/4], `scales` float32 [M, K/32], `sums` float32 [M, 3K/32]: see `activation`.
    """

    codes: Any
    scales: Any
    sums: Any
    extra: Any | None
    output: Any


@dataclass(frozen=True, slots=True)
class TileSegment:
    """A segment inside a kernel: its packed weights, its format, and the output columns it fills."""

    weights: Any
    format: PackedFormat
    first_column: int
    columns: int
    inner: int

    @property
    def tiles(self) -> int:
        return -(-self.columns // TILE_COLUMNS)

    @property
    def is_ragged(self) -> bool:
        """Whether the last tile is only partly filled."""
        return self.columns % TILE_COLUMNS != 0


@dataclass(frozen=True, slots=True)
class TileContext:
    """Where a tile is emitted. `totals`: float32 scratch, 16 columns for each row of the largest row tile."""

    isa: InstructionSet
    operands: Operands
    segment: TileSegment
    totals: Any

    @property
    def vectors(self) -> range:
        """First columns of the vectors that make up a tile."""
        return range(0, TILE_COLUMNS, self.isa.lanes)

    def load_total(self, row: int, column: int) -> Expr:
        """The running total of one vector of columns; `row` counts within the tile."""
        return load(self.totals, [], row * TILE_COLUMNS + column, self.isa.lanes)

    def store_total(self, row: int, column: int, value: Expr) -> None:
        """Emit the store of one vector's running total."""
        store(self.totals, value, [], row * TILE_COLUMNS + column, self.isa.lanes)


@dataclass(frozen=True, slots=True)
class Block:
    """One block of weights meeting some rows of activations: tile, index along K, first row, number of rows."""

    tile: Expr
    index: Expr
    first_row: Expr
    rows: int
