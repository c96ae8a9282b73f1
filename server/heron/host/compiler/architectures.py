"""What a GGUF file says about its decoder: its shape, its family's traits, its RoPE."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from heron.errors import CorruptModel, UnsupportedModel
from heron.host.compiler.families import Family, find_family
from heron.host.compiler.traits import Linear, Rotation, Traits
from heron.host.models.gguf import GgufFile, dequantize

_HEAD_STEP, _LARGEST_HEAD = 16, 256
_BIASES: Mapping[Linear, str] = {
    "qkv": "attn_q.bias", "attention_output": "attn_output.bias", "gate_up": "ffn_up.bias", "down": "ffn_down.bias",
}  # fmt: skip
"""A tensor of a layer that tells whether a linear has a bias."""


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """The shape of a decoder. `feed_forward` is the width between the gate and the down projection."""

    family: str
    num_layers: int
    hidden: int
    feed_forward: int
    num_heads: int
    num_kv_heads: int
    head_size: int
    rotated: int
    """dimensions of a head that RoPE turns"""
    vocab_size: int
    context_length: int
    epsilon: float
    traits: Traits


def read_config(file: GgufFile) -> ModelConfig:
    """The configuration of a file's decoder.

    UnsupportedModel for a family, head size or RoPE variant that Heron does not run; CorruptModel for missing keys.
    """
    family = find_family(file.architecture)
    heads, hidden = int(_value(file, "attention.head_count")), int(_value(file, "embedding_length"))
    head_size = int(_value(file, "attention.key_length", hidden // heads))
    embedding = file.tensors.get("token_embd.weight")
    if embedding is None:
        raise CorruptModel(f"{file.path} has no tensor token_embd.weight.")
    config = ModelConfig(
        family=family.architecture,
        num_layers=int(_value(file, "block_count")),
        hidden=hidden,
        feed_forward=int(_value(file, "feed_forward_length")),
        num_heads=heads,
        num_kv_heads=int(_value(file, "attention.head_count_kv", heads)),
        head_size=head_size,
        rotated=int(_value(file, "rope.dimension_count", head_size)),
        vocab_size=embedding.shape[0],
        context_length=int(_value(file, "context_length")),
        epsilon=float(_value(file, f"attention.layer_norm_{'rms_' if family.norm == 'rms' else ''}epsilon")),
        traits=_read_traits(file, family),
    )
    _check_config(file, config)
    return config


def rope_frequencies(file: GgufFile, config: ModelConfig) -> npt.NDArray[np.float64]:
    """Radians a position for each pair of dimensions, float64 [tables, head_size / 2], scaling and factors included.

    Pairs that are not turned, and layers without RoPE, have the frequency 0.
    """
    return np.stack([_frequencies(file, config, rotation) for rotation in config.traits.tables])


def _frequencies(file: GgufFile, config: ModelConfig, rotation: Rotation) -> npt.NDArray[np.float64]:
    frequencies = np.zeros(config.head_size // 2)
    if rotation == "none":
        return frequencies
    local_base = find_family(config.family).local_rope_base
    base = float(_value(file, "rope.freq_base", 10000.0))
    if rotation == "local":
        base = float(_value(file, "rope.freq_base_swa", local_base))
    turned = base ** (-np.arange(0, config.rotated, 2, dtype=np.float64) / config.rotated)
    if rotation == "global" and str(_value(file, "rope.scaling.type", "none")) == "linear":
        turned /= float(_value(file, "rope.scaling.factor", 1.0))
    factors = file.tensors.get("rope_freqs.weight")
    frequencies[: config.rotated // 2] = turned if factors is None else turned / dequantize(factors).reshape(-1)
    return frequencies


def _read_traits(file: GgufFile, family: Family) -> Traits:
    layers, hidden = int(_value(file, "block_count")), int(_value(file, "embedding_length"))
    windows = _read_windows(file, family, layers)
    scale = (hidden / int(_value(file, "attention.head_count"))) ** -0.5 if layers == family.wide_query_layers else 0.0
    return Traits(
        rotations=tuple(_rotation(family, index, window) for index, window in enumerate(windows)),
        windows=windows,
        norm=family.norm,
        activation=family.activation,
        is_gated=family.is_gated,
        pairs_neighbours=family.pairs_neighbours,
        biases=tuple(linear for linear, name in _BIASES.items() if f"blk.0.{name}" in file.tensors),
        has_qk_norm=family.has_qk_norm,
        has_post_norms=family.has_post_norms,
        attention_softcap=float(_value(file, "attn_logit_softcapping", 0.0)),
        logit_softcap=float(_value(file, "final_logit_softcapping", 0.0)),
        **_read_scales(file, family, {"embedding_scale": hidden**0.5 if family.scales_embedding else 1.0,
                                      "query_scale": scale}),
    )  # fmt: skip


def _read_scales(file: GgufFile, family: Family, known: dict[str, float]) -> dict[str, float]:
    """`known` scales, or those the file names: Granite divides the logits by the scale it stores."""
    if not family.has_multipliers:
        return known
    return {
        "embedding_scale": float(_value(file, "embedding_scale", 1.0)),
        "query_scale": float(_value(file, "attention.scale", 0.0)),
        "residual_scale": float(_value(file, "residual_scale", 1.0)),
        "logit_scale": 1.0 / float(_value(file, "logit_scale", 1.0)),
    }


def _read_windows(file: GgufFile, family: Family, layers: int) -> tuple[int, ...]:
    window, pattern = 0, family.window_period
    if family.window_period:
        window = int(_value(file, "attention.sliding_window", 0))
        pattern = _value(file, "attention.sliding_window_pattern", family.window_period)
    if isinstance(pattern, list):
        return tuple(window if is_local else 0 for is_local in pattern)
    return tuple(window if window and (index + 1) % pattern else 0 for index in range(layers))


def _rotation(family: Family, index: int, window: int) -> Rotation:
    if family.rope_period and (index + 1) % family.rope_period == 0:
        return "none"
    return "local" if window and family.local_rope_base else "global"


def _check_config(file: GgufFile, config: ModelConfig) -> None:
    scaling, traits = str(_value(file, "rope.scaling.type", "none")), config.traits
    value_size = int(_value(file, "attention.value_length", config.head_size))
    heads = f"attention heads of {config.head_size}; Heron runs multiples of {_HEAD_STEP} up to {_LARGEST_HEAD}"
    scales_biases = traits.residual_scale != 1.0 and bool({"attention_output", "down"} & set(traits.biases))
    problems: Mapping[str, bool] = {
        heads: bool(config.head_size % _HEAD_STEP) or config.head_size > _LARGEST_HEAD,
        f"values of {value_size} and keys of {config.head_size}": value_size != config.head_size,
        f"RoPE on {config.rotated} of {config.head_size} dimensions": not _can_rotate(config),
        f"RoPE scaling {scaling!r}; Heron runs none and linear": scaling not in ("none", "linear"),
        "RoPE factors for long contexts": "rope_factors_long.weight" in file.tensors,
        f"{config.num_heads} query heads for {config.num_kv_heads}": config.num_heads % config.num_kv_heads != 0,
        "a mixture of experts": int(_value(file, "expert_count", 0)) > 0,
        "biases beside a residual multiplier": scales_biases,
        f"{len(traits.windows)} attention windows for {config.num_layers} layers": len(traits.windows)
        != config.num_layers,
    }
    for problem, is_there in problems.items():
        if is_there:
            raise UnsupportedModel(f"The model has {problem}: not supported.")


def _can_rotate(config: ModelConfig) -> bool:
    return 0 < config.rotated <= config.head_size and config.rotated % 2 == 0


def _value(file: GgufFile, key: str, default: Any = None) -> Any:
    value = file.metadata.get(f"{file.architecture}.{key}", default)
    if value is None:
        raise CorruptModel(f"{file.path} does not say its {file.architecture}.{key}.")
    return value
