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
from heron.host.models.mlc_families import MLC_FAMILIES, MlcNames, find_names
from heron.host.models.mlc_format import MlcConfig, read_mlc_config
from heron.host.models.mlc_rope import rope_factors, rope_metadata
from heron.host.models.mlc_tensors import MlcWeights, Part, Rows


def open_mlc(folder: Path) -> GgufFile:
    """Map a folder's shards and parse what describes them.

    Raises CorruptModel or ModelUnavailable for a folder that is not whole, UnsupportedModel for a family or number
    format that Heron's own engine does not run.
    """
    config = read_mlc_config(folder)
    names = find_names(config.model_type)
    if names is None:
        known = ", ".join(MLC_FAMILIES)
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

    @property
    def shape(self) -> Mapping[str, Any]:
        """The dimensions by their names: with models that also see, those of the part for text."""
        text = self.config.shape.get("text_config")
        if not isinstance(text, Mapping):
            return self.config.shape
        further = text.get("kwargs")
        return {**(further if isinstance(further, Mapping) else {}), **text}

    def size(self, key: str, default: int | None = None) -> int:
        value = self.shape.get(key)
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
        shape, names = self.shape, self.names
        family, config = names.architecture, self.config
        partial = float(shape.get("partial_rotary_factor") or 1.0)
        context = config.context_window if names.has_windows and config.context_window > 0 else config.longest
        values: dict[str, Any] = {
            "block_count": self.size("num_hidden_layers"),
            "embedding_length": self.hidden,
            "feed_forward_length": self.feed_forward,
            "attention.head_count": self.heads,
            "attention.head_count_kv": self.kv_heads,
            "attention.key_length": self.head_size,
            "attention.value_length": self.head_size,
            names.epsilon[1]: float(shape.get(names.epsilon[0]) or 1e-6),
            "context_length": max(context, 1),
            "rope.dimension_count": int(self.head_size * partial),
            "rope.freq_base": float(shape.get("rope_theta") or shape.get("position_embedding_base") or 10000.0),
            **rope_metadata(shape),
            **{key: shape[name] for name, key in names.options if shape.get(name)},
        }
        return {"general.architecture": family} | {f"{family}.{key}": value for key, value in values.items()}


def _layers(decoder: _Decoder, weights: MlcWeights) -> Iterator[GgufTensor]:
    names = decoder.names
    for index in range(decoder.size("num_hidden_layers")):
        source, target = f"{names.trunk}.{names.layers}.{index}", f"blk.{index}"
        for norm, name in names.norms:
            yield weights.vector(f"{source}.{norm}.weight", f"{target}.{name}.weight")
            yield from _bias(weights, f"{source}.{norm}", f"{target}.{name}")
        yield from _attention(decoder, weights, (source, target))
        yield from _feed_forward(decoder, weights, (source, target))


def _attention(decoder: _Decoder, weights: MlcWeights, place: tuple[str, str]) -> Iterator[GgufTensor]:
    source, target = place
    size, hidden, names = decoder.head_size, decoder.hidden, decoder.names
    counts = (decoder.heads, decoder.kv_heads, decoder.kv_heads)
    fused, first = "{}" not in names.attention, 0
    for role, count in zip("qkv", counts, strict=True):
        name = f"{source}.{names.attention.format(role)}"
        rows = first + _row_order(count, size, names.interleaves and role != "v")
        stored = (sum(counts) if fused else count) * size
        yield weights.matrix(Part(name, (stored, hidden), rows), f"{target}.attn_{role}.weight")
        yield from _bias(weights, name, f"{target}.attn_{role}", rows)
        norm = f"{source}.self_attn.{role}_norm.weight"
        if weights.has(norm):
            yield weights.vector(norm, f"{target}.attn_{role}_norm.weight")
        first += count * size if fused else 0
    output = Part(f"{source}.{names.attention_output}", (hidden, decoder.heads * size))
    yield weights.matrix(output, f"{target}.attn_output.weight")
    yield from _bias(weights, output.name, f"{target}.attn_output")


def _bias(weights: MlcWeights, name: str, gguf_name: str, rows: Rows | None = None) -> Iterator[GgufTensor]:
    """The bias of a norm or a linear that has one, or some of its entries."""
    if weights.has(f"{name}.bias"):
        yield weights.vector(f"{name}.bias", f"{gguf_name}.bias", rows)


def _row_order(heads: int, size: int, interleaves: bool) -> Rows:
    """The rows of some heads; interleaved, each head's row i is followed by its row i + size / 2."""
    rows = np.arange(heads * size, dtype=np.int64)
    return rows.reshape(heads, 2, size // 2).swapaxes(1, 2).reshape(-1) if interleaves else rows


def _feed_forward(decoder: _Decoder, weights: MlcWeights, place: tuple[str, str]) -> Iterator[GgufTensor]:
    source, target = place
    width, hidden = decoder.feed_forward, decoder.hidden
    up, down = (f"{source}.{name}" for name in decoder.names.feed_forward)
    roles = ("gate", "up") if decoder.names.is_gated else ("up",)
    for index, role in enumerate(roles):
        rows = np.arange(index * width, (index + 1) * width, dtype=np.int64)
        yield weights.matrix(Part(up, (len(roles) * width, hidden), rows), f"{target}.ffn_{role}.weight")
        yield from _bias(weights, up, f"{target}.ffn_{role}", rows)
    yield weights.matrix(Part(down, (hidden, width)), f"{target}.ffn_down.weight")
    yield from _bias(weights, down, f"{target}.ffn_down")


def _ends(decoder: _Decoder, weights: MlcWeights) -> Iterator[GgufTensor]:
    """Embedding, last norm, output head where it is not the embedding, and what scales RoPE."""
    config, names = decoder.config, decoder.names
    shape = (config.vocab_size, decoder.hidden)
    yield weights.matrix(Part(f"{names.trunk}.{names.embedding}", shape, is_embedding=True), "token_embd.weight")
    yield weights.vector(f"{names.trunk}.norm.weight", "output_norm.weight")
    yield from _bias(weights, f"{names.trunk}.norm", "output_norm")
    if not (names.is_tied or decoder.shape.get("tie_word_embeddings")):
        yield weights.matrix(Part("lm_head", shape), "output.weight")
    factors = rope_factors(decoder.shape, decoder.head_size)
    if factors is not None:
        yield GgufTensor("rope_freqs.weight", "F32", factors.shape, factors.view(np.uint8).reshape(1, -1))
