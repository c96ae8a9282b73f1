"""Taking ggml's blocks apart: unsigned codes, and the bytes of scales and minima, nothing rounded.

Block layouts are those of ggml's `ggml-common.h` (`block_q4_0` … `block_q6_K`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class SplitRows:
    """Rows taken apart: unsigned codes [n, K]; the bytes of scales and minima [n, groups, size]; shared likewise."""

    codes: Bytes
    scales: Bytes
    minima: Bytes | None = None
    shared: tuple[Bytes, ...] = ()


def split_rows(type_name: str, raw: Bytes, inner: int) -> SplitRows:
    """Raw rows uint8 [n, row_bytes] of a quantised type, `inner` values each, taken apart."""
    return _splitters()[type_name](raw, inner)


def _splitters() -> dict[str, Callable[[Bytes, int], SplitRows]]:
    return {
        "Q4_0": _split_q4_0,
        "Q4_1": _split_q4_1,
        "Q5_0": _split_q5_0,
        "Q5_1": _split_q5_1,
        "Q8_0": _split_q8_0,
        "Q4_K": _split_q4_k,
        "Q5_K": _split_q5_k,
        "Q6_K": _split_q6_k,
    }


def _split_q4_0(raw: Bytes, inner: int) -> SplitRows:
    blocks = raw.reshape(len(raw), inner // 32, 18)
    return SplitRows(_low_high(blocks[..., 2:]).reshape(len(raw), inner), blocks[..., :2])


def _split_q4_1(raw: Bytes, inner: int) -> SplitRows:
    blocks = raw.reshape(len(raw), inner // 32, 20)
    return SplitRows(_low_high(blocks[..., 4:]).reshape(len(raw), inner), blocks[..., :2], blocks[..., 2:4])


def _split_q5_0(raw: Bytes, inner: int) -> SplitRows:
    blocks = raw.reshape(len(raw), inner // 32, 22)
    codes = _low_high(blocks[..., 6:]) | _fifth_bits(blocks[..., 2:6])
    return SplitRows(codes.reshape(len(raw), inner), blocks[..., :2])


def _split_q5_1(raw: Bytes, inner: int) -> SplitRows:
    blocks = raw.reshape(len(raw), inner // 32, 24)
    codes = _low_high(blocks[..., 8:]) | _fifth_bits(blocks[..., 4:8])
    return SplitRows(codes.reshape(len(raw), inner), blocks[..., :2], blocks[..., 2:4])


def _split_q8_0(raw: Bytes, inner: int) -> SplitRows:
    blocks = raw.reshape(len(raw), inner // 32, 34)
    return SplitRows((blocks[..., 2:] ^ np.uint8(128)).reshape(len(raw), inner), blocks[..., :2])


def _split_q4_k(raw: Bytes, inner: int) -> SplitRows:
    blocks = raw.reshape(len(raw), inner // 256, 144)
    codes = _low_high(blocks[..., 16:].reshape(len(raw), inner // 256, 4, 32))
    scales, minima = _sub_scales(blocks[..., 4:16])
    return SplitRows(codes.reshape(len(raw), inner), scales, minima, (blocks[..., 0:2], blocks[..., 2:4]))


def _split_q5_k(raw: Bytes, inner: int) -> SplitRows:
    blocks = raw.reshape(len(raw), inner // 256, 176)
    codes = _low_high(blocks[..., 48:].reshape(len(raw), inner // 256, 4, 32)).reshape(len(raw), inner // 256, 8, 32)
    shifts = np.arange(8, dtype=np.uint8)[:, None]
    codes |= ((blocks[..., None, 16:48] >> shifts) & 1) << 4
    scales, minima = _sub_scales(blocks[..., 4:16])
    return SplitRows(codes.reshape(len(raw), inner), scales, minima, (blocks[..., 0:2], blocks[..., 2:4]))


def _split_q6_k(raw: Bytes, inner: int) -> SplitRows:
    blocks = raw.reshape(len(raw), inner // 256, 210)
    low = _low_high(blocks[..., :128].reshape(len(raw), inner // 256, 2, 64))
    high = blocks[..., 128:192].reshape(len(raw), inner // 256, 2, 1, 32)
    shifts = np.array([0, 2, 4, 6], np.uint8)[:, None]
    codes = low | (((high >> shifts) & np.uint8(3)) << np.uint8(4)).reshape(low.shape)
    scales = blocks[..., 192:208].reshape(len(raw), inner // 16, 1)
    return SplitRows(codes.reshape(len(raw), inner), scales, None, (blocks[..., 208:210],))


def _low_high(nibbles: Bytes) -> Bytes:
    """The low nibbles of the last axis, then its high nibbles."""
    return np.concatenate([nibbles & 15, nibbles >> 4], axis=-1)


def _fifth_bits(bits: Bytes) -> Bytes:
    """32 packed bits (4 bytes, little-endian) as 16s and 0s."""
    return np.left_shift(np.unpackbits(bits, axis=-1, bitorder="little"), 4, dtype=np.uint8)


def _sub_scales(packed: Bytes) -> tuple[Bytes, Bytes]:
    """The eight 6-bit scales and minima in 12 bytes of a K-block, [n, groups, 1] each (ggml: `get_scale_min_k4`)."""
    low, middle, high = packed[..., 0:4], packed[..., 4:8], packed[..., 8:12]
    scales = np.concatenate([low & 63, (high & 15) | ((low >> 6) << 4)], axis=-1)
    minima = np.concatenate([middle & 63, (high >> 4) | ((middle >> 6) << 4)], axis=-1)
    return scales.reshape(len(packed), -1, 1), minima.reshape(len(packed), -1, 1)
