"""A folder of MLC-LLM's presented as the GGUF file of the same model, so that our own compiler can run it.

Names and shapes are those of MLC-LLM's `model/<family>/`: queries, keys and values are one weight, gate and up another.
Its rows are in the order of the original model; those of Llama's queries and keys are brought into the order in which
llama.cpp's converter stores them, for the compiler undoes that.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from heron.errors import CorruptModel, UnsupportedModel
from heron.host.models.gguf import GgufFile, GgufTensor
from heron.host.models.mlc_format import MlcConfig, read_mlc_config
from heron.host.models.mlc_rope import rope_factors
from heron.host.models.mlc_tensors import MlcWeights, Part, Rows


@dataclass(frozen=True, slots=True)
class MlcNames:
    """What a family calls its parts; `architecture` is ggml's name of it."""

    architecture: str
    attention: str = "self_attn.qkv_proj"
    attention_output: str = "self_attn.o_proj"
    norms: tuple[str, str] = ("input_layernorm", "post_attention_layernorm")
    trunk: str = "model"
    embedding: str = "embed_tokens"
    layers: str = "layers"
    interleaves: bool = False
    """whether llama.cpp's converter reorders queries and keys"""
    is_tied: bool = False


_FAMILIES: Mapping[str, MlcNames] = MappingProxyType(
    {
        "llama": MlcNames("llama", interleaves=True),
        "mistral": MlcNames("llama", interleaves=True),
        "qwen2": MlcNames("qwen2", attention="self_attn.c_attn"),
        "qwen3": MlcNames("qwen3", attention="self_attn.c_attn"),
        "gemma": MlcNames("gemma", is_tied=True),
        "phi3": MlcNames(
            "phi3", "mixer.qkv_proj", "mixer.out_proj", ("ln", "post_attention_layernorm"), "transformer", "embd", "h"
        ),
    }
)


def open_mlc(folder: Path) -> GgufFile:
    """Map a folder's shards and parse what describes them.

    Raises CorruptModel or ModelUnavailable for a folder that is not whole, UnsupportedModel for a family or number
    format that Heron's own engine does not run.
    """
    config = read_mlc_config(folder)
    names = _FAMILIES.get(config.model_type)
    if names is None:
        known = ", ".join(_FAMILIES)
        raise UnsupportedModel(
            f"The model is of MLC-LLM's type {config.model_type!r}; Heron's own engine runs {known}.",
            hint="With the mlc_llm package it can be run as it is: engine.backend = mlc.",
        )
    decoder = _Decoder(config, names, folder)
    weights = MlcWeights(folder, config)
    tensors = {tensor.name: tensor for tensor in (*_layers(decoder, weights), *_ends(decoder, weights))}
    return GgufFile(folder, MappingProxyType(decoder.metadata()), MappingProxyType(tensors))


@dataclass(frozen=True, slots=True)
class _Decoder:
    """The dimensions of a decoder, by the names of its configuration."""

    config: MlcConfig
    names: MlcNames
    folder: Path

    def size(self, key: str, default: int | None = None) -> int:
        value = self.config.shape.get(key)
        if not value and default is not None:
            value = default
        if type(value) is not int or value < 1:
            raise CorruptModel(f"{self.folder}: model_config.{key} is {value!r}, not a whole number above 0.")
        return value

    @property
    def hidden(self) -> int:
        return self.size("hidden_size")

    @property
    def heads(self) -> int:
        return self.size("num_attention_heads")

    @property
    def kv_heads(self) -> int:
        return self.size("num_key_value_heads", self.heads)

    @property
    def head_size(self) -> int:
        return self.size("head_dim", self.hidden // self.heads)

    @property
    def feed_forward(self) -> int:
        return self.size("intermediate_size")

    def metadata(self) -> dict[str, Any]:
        """What a GGUF file of this model would say."""
        shape, family = self.config.shape, self.names.architecture
        partial = float(shape.get("partial_rotary_factor") or 1.0)
        values: dict[str, Any] = {
            "block_count": self.size("num_hidden_layers"),
            "embedding_length": self.hidden,
            "feed_forward_length": self.feed_forward,
            "attention.head_count": self.heads,
            "attention.head_count_kv": self.kv_heads,
            "attention.key_length": self.head_size,
            "attention.value_length": self.head_size,
            "attention.layer_norm_rms_epsilon": float(shape.get("rms_norm_eps") or 1e-6),
            "context_length": max(self.config.longest, 1),
            "rope.dimension_count": int(self.head_size * partial),
            "rope.freq_base": float(shape.get("rope_theta") or shape.get("position_embedding_base") or 10000.0),
        }
        return {"general.architecture": family} | {f"{family}.{key}": value for key, value in values.items()}


def _layers(decoder: _Decoder, weights: MlcWeights) -> Iterator[GgufTensor]:
    names = decoder.names
    for index in range(decoder.size("num_hidden_layers")):
        source, target = f"{names.trunk}.{names.layers}.{index}", f"blk.{index}"
        for norm, name in zip(names.norms, ("attn_norm", "ffn_norm"), strict=True):
            yield weights.vector(f"{source}.{norm}.weight", f"{target}.{name}.weight")
        yield from _attention(decoder, weights, (source, target))
        yield from _feed_forward(decoder, weights, (source, target))


def _attention(decoder: _Decoder, weights: MlcWeights, place: tuple[str, str]) -> Iterator[GgufTensor]:
    source, target = place
    size, hidden, names = decoder.head_size, decoder.hidden, decoder.names
    counts = (decoder.heads, decoder.kv_heads, decoder.kv_heads)
    fused, first = (sum(counts) * size, hidden), 0
    for role, count in zip("qkv", counts, strict=True):
        rows = first + _row_order(count, size, names.interleaves and role != "v")
        yield weights.matrix(Part(f"{source}.{names.attention}", fused, rows), f"{target}.attn_{role}.weight")
        if weights.has(f"{source}.{names.attention}.bias"):
            yield weights.vector(f"{source}.{names.attention}.bias", f"{target}.attn_{role}.bias", rows)
        norm = f"{source}.self_attn.{role}_norm.weight"
        if weights.has(norm):
            yield weights.vector(norm, f"{target}.attn_{role}_norm.weight")
        first += count * size
    output = Part(f"{source}.{names.attention_output}", (hidden, decoder.heads * size))
    yield weights.matrix(output, f"{target}.attn_output.weight")
    if weights.has(f"{output.name}.bias"):
        yield weights.vector(f"{output.name}.bias", f"{target}.attn_output.bias")


def _row_order(heads: int, size: int, interleaves: bool) -> Rows:
    """The rows of some heads; interleaved, each head's row i is followed by its row i + size / 2."""
    rows = np.arange(heads * size, dtype=np.int64)
    return rows.reshape(heads, 2, size // 2).swapaxes(1, 2).reshape(-1) if interleaves else rows


def _feed_forward(decoder: _Decoder, weights: MlcWeights, place: tuple[str, str]) -> Iterator[GgufTensor]:
    source, target = place
    width, hidden = decoder.feed_forward, decoder.hidden
    for role, first in (("gate", 0), ("up", width)):
        rows = np.arange(first, first + width, dtype=np.int64)
        yield weights.matrix(
            Part(f"{source}.mlp.gate_up_proj", (2 * width, hidden), rows), f"{target}.ffn_{role}.weight"
        )
    yield weights.matrix(Part(f"{source}.mlp.down_proj", (hidden, width)), f"{target}.ffn_down.weight")


def _ends(decoder: _Decoder, weights: MlcWeights) -> Iterator[GgufTensor]:
    """Embedding, last norm, output head where it is not the embedding, and what scales RoPE."""
    config, names = decoder.config, decoder.names
    shape = (config.vocab_size, decoder.hidden)
    yield weights.matrix(Part(f"{names.trunk}.{names.embedding}", shape, is_embedding=True), "token_embd.weight")
    yield weights.vector(f"{names.trunk}.norm.weight", "output_norm.weight")
    if not (names.is_tied or config.shape.get("tie_word_embeddings")):
        yield weights.matrix(Part("lm_head", shape), "output.weight")
    factors = rope_factors(config, decoder.head_size)
    if factors is not None:
        yield GgufTensor("rope_freqs.weight", "F32", factors.shape, factors.view(np.uint8).reshape(1, -1))
