"""How a model of MLC-LLM's stretches RoPE for long contexts, as ggml's factors."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from heron.errors import CorruptModel, UnsupportedModel

Float32 = npt.NDArray[np.float32]


def rope_factors(shape: Mapping[str, Any], head_size: int) -> Float32 | None:
    """What each pair's frequency is divided by, float32 [head_size / 2]; None where nothing is, or all by the same.

    UnsupportedModel for a way other than Llama 3's and the linear one.
    """
    kind, scaling = _read_scaling(shape)
    if kind in ("default", "linear"):
        return None
    if kind != "llama3":
        raise UnsupportedModel(
            f"The model has RoPE scaling {kind!r}; of MLC-LLM's models Heron runs none, linear and llama3."
        )
    base = float(shape.get("rope_theta") or shape.get("position_embedding_base") or 10000.0)
    return _llama3_factors(scaling, base ** (-np.arange(0, head_size, 2, dtype=np.float64) / head_size))


def rope_metadata(shape: Mapping[str, Any]) -> dict[str, Any]:
    """What a GGUF file says of a stretch by the same factor everywhere."""
    kind, scaling = _read_scaling(shape)
    if kind != "linear":
        return {}
    try:
        return {"rope.scaling.type": "linear", "rope.scaling.factor": float(scaling["factor"])}
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptModel(f"model_config.rope_scaling is not whole: {error}.") from error


def _read_scaling(shape: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Its kind, and all that is said of it."""
    scaling = shape.get("rope_scaling")
    if not isinstance(scaling, Mapping):
        return "default", {}
    return str(scaling.get("rope_type", scaling.get("type", "default"))), scaling


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
