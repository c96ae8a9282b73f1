"""Weights that are plain numbers, rounded to ggml's Q8_0 for kernels that multiply codes only.

Activations have 8 bits there too, so that more bits of the weights would be lost on them.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from heron.host.compiler.ggml_blocks import Bytes

ROUNDED_TYPE = "Q8_0"
PLAIN_TYPES = ("F16", "BF16", "F32")
_GROUP, _MOST = 32, 127


def round_rows(type_name: str, raw: Bytes) -> Bytes:
    """Q8_0 rows uint8 [n, K / 32 * 34] of a plain type's rows: a half, the scale, and 32 codes a group.

    The error of a weight is at most half a code's step and what the half rounds: 0.45% of the group's largest.
    """
    groups = _read_values(type_name, raw).reshape(len(raw), -1, _GROUP)
    scales = (np.abs(groups).max(axis=-1) / _MOST).astype(np.float16)
    steps = scales.astype(np.float32)[..., np.newaxis]
    codes = np.divide(groups, steps, out=np.zeros_like(groups), where=steps > 0)
    blocks = np.empty((*scales.shape, 2 + _GROUP), np.uint8)
    blocks[..., :2] = scales[..., np.newaxis].view(np.uint8)
    blocks[..., 2:] = np.clip(np.rint(codes), -_MOST, _MOST).astype(np.int8).view(np.uint8)
    return blocks.reshape(len(raw), -1)


def _read_values(type_name: str, raw: Bytes) -> npt.NDArray[np.float32]:
    rows: npt.NDArray[Any] = np.ascontiguousarray(raw)
    if type_name == "BF16":
        return (rows.view("<u2").astype(np.uint32) << 16).view(np.float32)
    return rows.view("<f2" if type_name == "F16" else "<f4").astype(np.float32)
