"""Weight formats of the CUDA kernels: rows of groups of 32 k, so that one thread loads a group with 16-byte loads.

A linear of N outputs and K inputs is four arrays, each [N, K / 32, …], the rows padded to a multiple of 64:

    codes   int32 [N, K/32, 4]  nibbles: byte i of word j holds k = 4j + i low and k = 16 + 4j + i high, or
            int32 [N, K/32, 8]  bytes: byte i of word j holds k = 4j + i, signed
    high    int32 [N, K/32, 1]  bit 4 of a code: bit j of byte i belongs to k = 4j + i, or
            int32 [N, K/32, 2]  bits 4 and 5: bits 2p and 2p + 1 of byte i of word r belong to k = 16r + 4p + i
    scales, offsets  float16 [N, K / group_k]

A weight is `scale * (code - zero_point)`, or with offsets `scale * code + offset`. Codes keep their bits; scales of the
K-formats, which ggml keeps as products of a half and an integer, are rounded to a half. Weights that are plain numbers
become 8-bit codes (`rounding`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from heron.errors import UnsupportedModel
from heron.host.compiler.gpu.rounding import PLAIN_TYPES, ROUNDED_TYPE
from heron.host.compiler.kernels.formats import PART_K, Format, find_format

ROW_TILE = 64
"""Rows are padded to this many: a block of the matrix kernel."""


@dataclass(frozen=True, slots=True)
class GroupFormat:
    """`bits` of a code (4, 5, 6 or 8) and `group_k` values (16 or 32) that share a scale."""

    bits: int
    group_k: int
    zero_point: int
    has_offset: bool

    @property
    def code_words(self) -> int:
        """Words of nibbles or bytes for 32 k."""
        return 8 if self.bits == 8 else 4

    @property
    def high_words(self) -> int:
        """Words of the bits above a nibble for 32 k."""
        return 0 if self.bits == 8 else self.bits - 4

    @property
    def groups(self) -> int:
        """Scales for 32 k."""
        return PART_K // self.group_k

    def count_bytes(self, rows: int, inner: int) -> int:
        """Of the packed arrays of `rows` (padded) rows of `inner` values."""
        words = rows * inner // PART_K * (self.code_words + self.high_words)
        return 4 * words + 2 * rows * (inner // self.group_k) * (2 if self.has_offset else 1)

    @property
    def name(self) -> str:
        return f"b{self.bits}g{self.group_k}z{self.zero_point}{'o' if self.has_offset else ''}"


def join_formats(type_names: Sequence[str]) -> GroupFormat:
    """The one format that holds tensors of these GGUF types, quantised ones exactly; UnsupportedModel for others."""
    formats = [_quantised(name) for name in type_names]
    bits, group_k = max(item.bits for item in formats), min(item.group_k for item in formats)
    has_minimum = any(item.has_minimum for item in formats)
    if bits == 8:
        return GroupFormat(bits, group_k, 0, has_minimum)
    zero_points = {item.zero_point for item in formats}
    has_offset = has_minimum or len(zero_points) > 1
    return GroupFormat(bits, group_k, 0 if has_offset else zero_points.pop(), has_offset)


def padded_rows(rows: int) -> int:
    """Rows of the packed arrays of a linear with that many outputs."""
    return -(-rows // ROW_TILE) * ROW_TILE


def _quantised(type_name: str) -> Format:
    found = find_format(ROUNDED_TYPE if type_name in PLAIN_TYPES else type_name)
    if not isinstance(found, Format):
        raise UnsupportedModel(f"Tensor type {type_name} is not supported on a GPU.")
    return found
