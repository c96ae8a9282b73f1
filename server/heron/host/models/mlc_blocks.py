"""MLC-LLM's group quantisation as ggml's blocks: the same numbers, otherwise laid out.

A group of 32 weights along K is `(q - 7) * scale` with codes q from 0 to 14, eight to a little-endian uint32, the first
in its lowest bits (MLC-LLM, `quantization/group_quantization.py`). ggml's Q4_0 is `(code - 8) * d` with 32 codes in 16
bytes, the first half in the low nibbles: code q + 1 and d = scale are the same weights, bit for bit, as long as float16
holds the scale. One of 8 significant bits (bfloat16, and so every float32 scale that was stored as one) it holds from
2^-17 to 65504; a full float32 scale is rounded, an error of at most 2^-11 of each weight.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from heron.errors import CorruptModel, UnsupportedModel

GROUP = 32
WORD_CODES = 8
_BLOCK_BYTES = 18

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint32]
Array = npt.NDArray[Any]


def make_q4_0(words: Words, scales: Array, name: str) -> Bytes:
    """Q4_0 rows uint8 [n, K / 32 * 18] of code words [n, K / 8] and float scales [n, K / 32].

    CorruptModel for a code of 15, which stands for nothing; UnsupportedModel for scales that float16 does not hold.
    """
    halves = _round_scales(scales, name)
    groups = words.reshape(len(words), -1, GROUP // WORD_CODES)
    _check_codes(groups, halves, name)
    # No carry passes from one code to the next: none is above 14, but in groups whose scale is zero.
    codes = (groups + np.uint32(0x11111111)).astype("<u4").view(np.uint8)
    blocks = np.empty((*halves.shape, _BLOCK_BYTES), np.uint8)
    blocks[..., :2] = halves.astype("<f2")[..., np.newaxis].view(np.uint8)
    first, second = codes[..., :8], codes[..., 8:]
    blocks[..., 2::2] = (first & 15) | (second << 4)
    blocks[..., 3::2] = (first >> 4) | (second & 0xF0)
    return blocks.reshape(len(words), -1)


def _round_scales(scales: Array, name: str) -> npt.NDArray[np.float16]:
    with np.errstate(over="ignore"):
        halves = scales.astype(np.float16)
    if not np.isfinite(halves).all():
        raise UnsupportedModel(
            f"Tensor {name} has scales beyond 65504 or none at all, which Heron's format cannot hold."
        )
    return halves


def _check_codes(groups: Words, scales: npt.NDArray[np.float16], name: str) -> None:
    is_full = groups & (groups >> np.uint32(1)) & (groups >> np.uint32(2)) & (groups >> np.uint32(3))
    bad = (is_full & np.uint32(0x11111111)).any(axis=-1) & (scales != 0)
    if bad.any():
        raise CorruptModel(f"Tensor {name} has codes of 15; 4-bit weights of MLC-LLM's end at 14.")
