"""Model families: what a GGUF file says about a decoder, which of its tensors feed which layer, and its RoPE."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from heron.errors import CorruptModel, UnsupportedModel
from heron.host.models.gguf import GgufFile, GgufTensor, dequantize

HEAD_SIZES = (64, 128)
_FAMILIES = ("llama", "qwen2")
_PAIRS_NEIGHBOURS = ("llama",)
"""Families whose GGUF rotates dimensions 2i and 2i + 1 together instead of i and i + head_size / 2."""


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
    vocab_size: int
    context_length: int
    epsilon: float
    has_bias: bool
    """Whether the query, key and value projections add a bias."""


@dataclass(frozen=True, slots=True)
class LayerTensors:
    """The tensors of one decoder layer, by role; those of one role are stacked to one linear."""

    attention_norm: GgufTensor
    qkv: tuple[GgufTensor, ...]
    qkv_bias: tuple[GgufTensor, ...]
    attention_output: tuple[GgufTensor, ...]
    feed_forward_norm: GgufTensor
    gate_up: tuple[GgufTensor, ...]
    down: tuple[GgufTensor, ...]


def read_config(file: GgufFile) -> ModelConfig:
    """The configuration of a file's decoder.

    UnsupportedModel for a family, head size or RoPE variant that Heron does not run; CorruptModel for missing keys.
    """
    family = file.architecture
    if family not in _FAMILIES:
        raise UnsupportedModel(
            f"The model is of the architecture {family or 'unknown'!r}; Heron runs {' and '.join(_FAMILIES)}."
        )
    heads, hidden = int(_value(file, "attention.head_count")), int(_value(file, "embedding_length"))
    config = ModelConfig(
        family=family,
        num_layers=int(_value(file, "block_count")),
        hidden=hidden,
        feed_forward=int(_value(file, "feed_forward_length")),
        num_heads=heads,
        num_kv_heads=int(_value(file, "attention.head_count_kv", heads)),
        head_size=int(_value(file, "attention.key_length", hidden // heads)),
        vocab_size=_tensor(file, "token_embd.weight").shape[0],
        context_length=int(_value(file, "context_length")),
        epsilon=float(_value(file, "attention.layer_norm_rms_epsilon")),
        has_bias="blk.0.attn_q.bias" in file.tensors,
    )
    _check_config(file, config)
    return config


def layer_tensors(file: GgufFile, config: ModelConfig, index: int) -> LayerTensors:
    """The tensors of layer `index`, query and key rows in the order the kernels rotate."""

    def tensor(name: str) -> GgufTensor:
        return _tensor(file, f"blk.{index}.{name}")

    def projections(kind: str) -> tuple[GgufTensor, ...]:
        query, key, value = (tensor(f"attn_{role}.{kind}") for role in "qkv")
        return reorder_heads(query, config), reorder_heads(key, config), value

    return LayerTensors(
        attention_norm=tensor("attn_norm.weight"),
        qkv=projections("weight"),
        qkv_bias=projections("bias") if config.has_bias else (),
        attention_output=(tensor("attn_output.weight"),),
        feed_forward_norm=tensor("ffn_norm.weight"),
        gate_up=(tensor("ffn_gate.weight"), tensor("ffn_up.weight")),
        down=(tensor("ffn_down.weight"),),
    )


def output_tensors(file: GgufFile) -> tuple[GgufTensor, ...]:
    """The tensor of the output head; the embedding where the two are tied."""
    return (file.tensors.get("output.weight") or _tensor(file, "token_embd.weight"),)


def reorder_heads(tensor: GgufTensor, config: ModelConfig) -> GgufTensor:
    """The tensor with each head's rows so ordered that dimension i rotates with i + head_size / 2.

    A row permutation, so quantised blocks stay whole. It is the inverse of the one applied when such a file was
    converted (`LlamaModel.permute` in llama.cpp's converter).
    """
    if config.family not in _PAIRS_NEIGHBOURS:
        return tensor
    width = tensor.shape[0]
    order = np.arange(width).reshape(-1, config.head_size // 2, 2).transpose(0, 2, 1).reshape(-1)
    items = tensor.data.reshape(width, -1)
    return GgufTensor(tensor.name, tensor.type_name, tensor.shape, items[order].reshape(tensor.data.shape))


def rope_frequencies(file: GgufFile, config: ModelConfig) -> npt.NDArray[np.float64]:
    """Radians a position for each pair of dimensions, float64 [head_size / 2]; linear scaling and factors included."""
    base = float(_value(file, "rope.freq_base", 10000.0))
    frequencies = base ** (-np.arange(0, config.head_size, 2, dtype=np.float64) / config.head_size)
    if str(_value(file, "rope.scaling.type", "none")) == "linear":
        frequencies /= float(_value(file, "rope.scaling.factor", 1.0))
    factors = file.tensors.get("rope_freqs.weight")
    return frequencies if factors is None else frequencies / dequantize(factors).reshape(-1)


def stack_vectors(tensors: Sequence[GgufTensor]) -> npt.NDArray[np.float32]:
    """One-dimensional tensors as one float32 vector."""
    return np.concatenate([dequantize(tensor).reshape(-1) for tensor in tensors])


def _check_config(file: GgufFile, config: ModelConfig) -> None:
    scaling = str(_value(file, "rope.scaling.type", "none"))
    rotated = int(_value(file, "rope.dimension_count", config.head_size))
    value_size = int(_value(file, "attention.value_length", config.head_size))
    problems: Mapping[str, bool] = {
        f"attention heads of {config.head_size}; Heron runs 64 and 128": config.head_size not in HEAD_SIZES,
        f"values of {value_size} and keys of {config.head_size}": value_size != config.head_size,
        f"RoPE on {rotated} of {config.head_size} dimensions": rotated != config.head_size,
        f"RoPE scaling {scaling!r}; Heron runs none and linear": scaling not in ("none", "linear"),
        f"{config.num_heads} query heads for {config.num_kv_heads}": config.num_heads % config.num_kv_heads != 0,
        "a mixture of experts": int(_value(file, "expert_count", 0)) > 0,
    }
    for problem, is_there in problems.items():
        if is_there:
            raise UnsupportedModel(f"The model has {problem}: not supported.")


def _value(file: GgufFile, key: str, default: Any = None) -> Any:
    value = file.metadata.get(f"{file.architecture}.{key}", default)
    if value is None:
        raise CorruptModel(f"{file.path} does not say its {file.architecture}.{key}.")
    return value


def _tensor(file: GgufFile, name: str) -> GgufTensor:
    try:
        return file.tensors[name]
    except KeyError:
        raise CorruptModel(f"{file.path} has no tensor {name}.") from None
