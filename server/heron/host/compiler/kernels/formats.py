"""Packed weight formats: where the bytes lie. Numbers only; `pack` writes them and `linear_codes` reads them.

A segment is `[N/16 tiles][K/block_k blocks][block_bytes]`: one linear stream for each tile of 16 output columns.
A block holds `block_k / 32` parts of 32 k each, then (with sub-scales) the half-precision scales that the parts share:

    part    codes   nibbles: 4 rows of 64 bytes, row p holds k-group p in the low and k-group p + 4 in the high nibbles,
                    or bytes: 8 rows of 64, one for each k-group (4 k of 16 columns: byte 4 * column + k)
            high    bit 4 of a code: 64 bytes, bit p of a byte belongs to k-group p;
                    bits 4 and 5: 2 rows of 64 bytes, bits 2p and 2p + 1 of row r belong to k-group 4r + p
            scales  16 halfs a group of k, or with sub-scales 16 integers; then the minima in the same way
    shared  16 halfs d, then (with minima) 16 halfs dmin

A weight is `scale * (code - zero_point) + minimum`, or `d * sub_scale * (code - zero_point) - dmin * sub_minimum`.
"""

from dataclasses import dataclass
from typing import Literal

from heron.errors import UnsupportedModel

TILE_COLUMNS = 16
PART_K = 32
HALF_ROW_BYTES = 2 * TILE_COLUMNS
CODE_ROW_BYTES = 4 * TILE_COLUMNS

SubScales = Literal["none", "unsigned", "signed"]


@dataclass(frozen=True, slots=True)
class Format:
    """One packed format: `bits` of a code, `group_k` values share a scale; `sub_scales`: how they are integers."""

    name: str
    bits: int
    zero_point: int
    group_k: int = PART_K
    has_minimum: bool = False
    sub_scales: SubScales = "none"

    @property
    def block_k(self) -> int:
        return PART_K if self.sub_scales == "none" else 256

    @property
    def high_offset(self) -> int:
        return 8 * CODE_ROW_BYTES if self.bits == 8 else 4 * CODE_ROW_BYTES

    @property
    def scale_offset(self) -> int:
        planes = self.bits - 4 if self.bits < 8 else 0
        return self.high_offset + planes * CODE_ROW_BYTES

    @property
    def scale_row_bytes(self) -> int:
        """Bytes of one row of 16 scales inside a part."""
        return HALF_ROW_BYTES if self.sub_scales == "none" else TILE_COLUMNS

    @property
    def minimum_offset(self) -> int:
        return self.scale_offset + self.groups * self.scale_row_bytes

    @property
    def groups(self) -> int:
        """Groups with their own scale in a part of 32 k."""
        return PART_K // self.group_k

    @property
    def part_bytes(self) -> int:
        return self.minimum_offset + (self.scale_row_bytes if self.has_minimum else 0)

    @property
    def shared_offset(self) -> int:
        return self.part_bytes * (self.block_k // PART_K)

    @property
    def block_bytes(self) -> int:
        shared = 0 if self.sub_scales == "none" else HALF_ROW_BYTES * (2 if self.has_minimum else 1)
        return self.shared_offset + shared

    def packed_shape(self, columns: int, inner: int) -> tuple[int, int, int]:
        """Shape of the uint8 array for `columns` outputs and `inner` inputs; the last tile may be partly empty."""
        return (-(-columns // TILE_COLUMNS), inner // self.block_k, self.block_bytes)


@dataclass(frozen=True, slots=True)
class FloatFormat:
    """Weights kept as numbers: a block is 32 k, for each k one row of 16 columns."""

    name: str
    item_bytes: int

    @property
    def block_k(self) -> int:
        return PART_K

    @property
    def block_bytes(self) -> int:
        return PART_K * TILE_COLUMNS * self.item_bytes

    def packed_shape(self, columns: int, inner: int) -> tuple[int, int, int]:
        """As `Format.packed_shape`."""
        return (-(-columns // TILE_COLUMNS), inner // PART_K, self.block_bytes)


PackedFormat = Format | FloatFormat


@dataclass(frozen=True, slots=True)
class Segment:
    """`columns` neighbouring outputs of a linear whose weights share a format."""

    format: PackedFormat
    columns: int


def formats() -> dict[str, PackedFormat]:
    """Every packed format by its GGUF type name."""
    known: tuple[PackedFormat, ...] = (
        Format("Q4_0", bits=4, zero_point=8),
        Format("Q4_1", bits=4, zero_point=0, has_minimum=True),
        Format("Q5_0", bits=5, zero_point=16),
        Format("Q5_1", bits=5, zero_point=0, has_minimum=True),
        Format("Q8_0", bits=8, zero_point=128),
        Format("Q4_K", bits=4, zero_point=0, has_minimum=True, sub_scales="unsigned"),
        Format("Q5_K", bits=5, zero_point=0, has_minimum=True, sub_scales="unsigned"),
        Format("Q6_K", bits=6, zero_point=32, group_k=16, sub_scales="signed"),
        FloatFormat("F16", item_bytes=2),
        FloatFormat("BF16", item_bytes=2),
        FloatFormat("F32", item_bytes=4),
    )
    return {item.name: item for item in known}


def find_format(type_name: str) -> PackedFormat:
    """The packed format of a GGUF tensor type; UnsupportedModel names the supported ones."""
    known = formats()
    if type_name not in known:
        raise UnsupportedModel(f"Tensor type {type_name} is not supported; supported are {', '.join(known)}.")
    return known[type_name]
