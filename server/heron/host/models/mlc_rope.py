"""How a model of MLC-LLM's stretches RoPE for long contexts, as ggml's factors."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from heron.errors import CorruptModel, UnsupportedModel
from heron.host.models.mlc_format import MlcConfig

Float32 = npt.NDArray[np.float32]


def rope_factors(config: MlcConfig, head_size: int) -> Float32 | None:
    """What each pair's frequency is divided by, float32 [head_size / 2]; None where nothing is stretched.

    UnsupportedModel for a way other than Llama 3's.
    """
    scaling = config.shape.get("rope_scaling")
    if not isinstance(scaling, Mapping):
        return None
    kind = scaling.get("rope_type", scaling.get("type", "default"))
    if kind == "default":
        return None
    if kind != "llama3":
        raise UnsupportedModel(f"The model has RoPE scaling {kind!r}; of MLC-LLM's models Heron runs none and llama3.")
    base = float(config.shape.get("rope_theta") or config.shape.get("position_embedding_base") or 10000.0)
    return _llama3_factors(scaling, base ** (-np.arange(0, head_size, 2, dtype=np.float64) / head_size))


def _llama3_factors(scaling: Mapping[str, Any], frequencies: npt.NDArray[np.float64]) -> Float32:
    """Long waves are slowed by `factor`, short ones not at all, those between smoothly (Llama 3.1's model card)."""
    try:
        factor, low, high = (float(scaling[key]) for key in ("factor", "low_freq_factor", "high_freq_factor"))
        window = float(scaling["original_max_position_embeddings"])
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptModel(f"model_config.rope_scaling is not whole: {error}.") from error
    turns = window * frequencies / (2 * math.pi)
    smooth = np.clip((turns - low) / (high - low), 0.0, 1.0)
    return (1.0 / ((1.0 - smooth) / factor + smooth)).astype(np.float32)
