"""Reading packed weights inside a kernel: codes, scales and minima of one vector of columns."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tvm.tirx.script import builder as T

from heron.host.compiler.kernels.formats import CODE_ROW_BYTES, HALF_ROW_BYTES, Format
from heron.host.compiler.kernels.isa import InstructionSet
from heron.host.compiler.kernels.vector import Expr, as_type, constant, to_type

LoadBytes = Callable[[Expr, int], Expr]
"""Load `count` bytes at a byte offset of the block at hand."""


@dataclass(frozen=True, slots=True)
class Shared:
    """The scales that all parts of a block share, float32 lanes; None where the format has none."""

    scale: Expr | None
    minimum: Expr | None


@dataclass(frozen=True, slots=True)
class Group:
    """A run of k values with one scale a column: uint8 codes for each 4 k, the scale, the minimum if there is one."""

    first_word: int
    codes: tuple[Expr, ...]
    scale: Expr
    minimum: Expr | None


@dataclass(frozen=True, slots=True)
class CodeReader:
    """Reads a format for the columns `[first_column, first_column + lanes)` of a tile."""

    format: Format
    isa: InstructionSet
    first_column: int

    def read_shared(self, load: LoadBytes) -> Shared:
        """Emit the loads of the block's shared scales."""
        if self.format.sub_scales == "none":
            return Shared(None, None)
        offset = self.format.shared_offset
        minimum = self._halfs(load, offset + HALF_ROW_BYTES) if self.format.has_minimum else None
        return Shared(self._halfs(load, offset), minimum)

    def read_groups(self, load: LoadBytes, part: Expr, shared: Shared) -> Iterator[Group]:
        """Emit the reading of one part of 32 k, a group at a time in order of k, so that few registers are needed."""
        base = part * self.format.part_bytes
        words = 8 // self.format.groups
        for group in range(self.format.groups):
            first = group * words
            codes = tuple(T.Bind(self._codes(load, base, k_group)) for k_group in range(first, first + words))
            scale = self._scale(load, base, group, shared)
            yield Group(first, codes, scale, self._minimum(load, base, shared))

    def _codes(self, load: LoadBytes, base: Expr, k_group: int) -> Expr:
        """The codes of one k-group."""
        if self.format.bits == 8:
            return self._code_row(load, base + k_group * CODE_ROW_BYTES)
        nibbles = self._code_row(load, base + k_group % 4 * CODE_ROW_BYTES)
        low = T.bitwise_and(nibbles, self._bytes(15)) if k_group < 4 else T.shift_right(nibbles, self._bytes(4))
        return low if self.format.bits == 4 else T.bitwise_or(low, self._high_bits(load, base, k_group))

    def _high_bits(self, load: LoadBytes, base: Expr, k_group: int) -> Expr:
        """The bits of a k-group above the nibble, already in place."""
        planes = self.format.bits - 4
        row, place = divmod(k_group, 8 // planes)
        bits = self._code_row(load, base + self.format.high_offset + row * CODE_ROW_BYTES)
        mask = self._bytes(((1 << planes) - 1) << 4)
        return T.bitwise_and(self._shift_right(bits, planes * place - 4), mask)

    def _shift_right(self, value: Expr, bits: int) -> Expr:
        if bits == 0:
            return value
        return T.shift_right(value, self._bytes(bits)) if bits > 0 else T.shift_left(value, self._bytes(-bits))

    def _scale(self, load: LoadBytes, base: Expr, group: int, shared: Shared) -> Expr:
        offset = base + self.format.scale_offset + group * self.format.scale_row_bytes
        if shared.scale is None:
            return self._halfs(load, offset)
        return T.Bind(self._integers(load, offset, self.format.sub_scales == "signed") * shared.scale)

    def _minimum(self, load: LoadBytes, base: Expr, shared: Shared) -> Expr | None:
        if not self.format.has_minimum:
            return None
        offset = base + self.format.minimum_offset
        if shared.minimum is None:
            return self._halfs(load, offset)
        zero = constant(0.0, "float32", self.isa.lanes)
        return T.Bind(zero - self._integers(load, offset, signed=False) * shared.minimum)

    def _code_row(self, load: LoadBytes, offset: Expr) -> Expr:
        return T.Bind(load(offset + 4 * self.first_column, 4 * self.isa.lanes))

    def _halfs(self, load: LoadBytes, offset: Expr) -> Expr:
        bits = as_type(load(offset + 2 * self.first_column, 2 * self.isa.lanes), "uint16", self.isa.lanes)
        return T.Bind(self.isa.half_to_float(bits))

    def _integers(self, load: LoadBytes, offset: Expr, signed: bool) -> Expr:
        lanes = self.isa.lanes
        value = load(offset + self.first_column, lanes)
        value = as_type(value, "int8", lanes) if signed else value
        return to_type(to_type(value, "int32", lanes), "float32", lanes)

    def _bytes(self, value: int) -> Expr:
        return constant(value, "uint8", 4 * self.isa.lanes)
