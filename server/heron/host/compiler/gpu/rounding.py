"""Weights that are plain numbers, rounded to ggml's Q8_0 for kernels that multiply codes only.

Activations have 8 bits there too, so that more bits of the weights would be lost on them.
"""

import numpy as np

from heron.host.compiler.ggml_blocks import Bytes
from heron.host.models.gguf import GgufTensor, dequantize

ROUNDED_TYPE = "Q8_0"
PLAIN_TYPES = ("F16", "BF16", "F32")
_GROUP, _MOST = 32, 127


def round_rows(type_name: str, raw: Bytes, inner: int) -> Bytes:
    """Q8_0 rows uint8 [n, K / 32 * 34] of a plain type's rows of `inner` values: a half, the scale, 32 codes a group.

    The error of a weight is at most half a code's step and what the half rounds: 0.45% of the group's largest.
    """
    values = dequantize(GgufTensor("rows", type_name, (len(raw), inner), np.ascontiguousarray(raw)))
    groups = values.reshape(len(raw), -1, _GROUP)
    scales = (np.abs(groups).max(axis=-1) / _MOST).astype(np.float16)
    steps = scales.astype(np.float32)[..., np.newaxis]
    codes = np.divide(groups, steps, out=np.zeros_like(groups), where=steps > 0)
    blocks = np.empty((*scales.shape, 2 + _GROUP), np.uint8)
    blocks[..., :2] = scales[..., np.newaxis].view(np.uint8)
    blocks[..., 2:] = np.clip(np.rint(codes), -_MOST, _MOST).astype(np.int8).view(np.uint8)
    return blocks.reshape(len(raw), -1)
