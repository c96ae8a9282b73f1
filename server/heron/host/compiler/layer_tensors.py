"""Which tensors of a GGUF file feed which part of a decoder, in the order the kernels want their rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from heron.errors import CorruptModel
from heron.host.compiler.architectures import ModelConfig
from heron.host.compiler.traits import Linear
from heron.host.models.gguf import Bytes, GgufFile, GgufTensor, dequantize, slice_rows


@dataclass(frozen=True, slots=True)
class LayerTensors:
    """The tensors of one decoder layer; those of one linear or vector are stacked."""

    linears: Mapping[Linear, tuple[GgufTensor, ...]]
    vectors: Mapping[str, tuple[GgufTensor, ...]]
    """by the names that `decoder.Decoder` gives its parameters"""


def layer_tensors(file: GgufFile, config: ModelConfig, index: int) -> LayerTensors:
    """The tensors of layer `index`, query and key rows in the order the kernels rotate."""
    layer = _Layer(file, config, f"blk.{index}.")
    return LayerTensors(_linears(layer), _norms(layer) | _biases(layer))


def output_tensors(file: GgufFile) -> tuple[GgufTensor, ...]:
    """The tensor of the output head; the embedding where the two are tied."""
    return (file.tensors.get("output.weight") or find_tensor(file, "token_embd.weight"),)


def output_norm_tensors(file: GgufFile, config: ModelConfig) -> Mapping[str, GgufTensor]:
    """The vectors of the last norm, by the names that `decoder.Decoder` gives its parameters."""
    vectors = {"output_norm.gain": find_tensor(file, "output_norm.weight")}
    if config.traits.norm == "layer":
        vectors["output_norm.bias"] = find_tensor(file, "output_norm.bias")
    return vectors


def reorder_heads(tensor: GgufTensor, config: ModelConfig) -> GgufTensor:
    """The tensor with each head's rows so ordered that dimension i rotates with i + head_size / 2.

    A row permutation, so quantised blocks stay whole. For neighbours it is the inverse of the one applied when such a
    file was converted (`LlamaModel.permute` in llama.cpp's converter). What RoPE leaves as it is goes behind what it
    turns, in each half.
    """
    order = _head_order(config)
    if np.array_equal(order, np.arange(len(order))):
        return tensor
    width = tensor.shape[0]
    rows = (np.arange(0, width, config.head_size)[:, None] + order).reshape(-1)
    return GgufTensor(tensor.name, tensor.type_name, tensor.shape, partial(_take_rows, tensor, rows))


def _take_rows(tensor: GgufTensor, rows: npt.NDArray[np.int64]) -> Bytes:
    data = tensor.data
    return data.reshape(len(rows), -1)[rows].reshape(data.shape)


def stack_vectors(tensors: Sequence[GgufTensor]) -> npt.NDArray[np.float32]:
    """One-dimensional tensors as one float32 vector."""
    return np.concatenate([dequantize(tensor).reshape(-1) for tensor in tensors])


def find_tensor(file: GgufFile, name: str) -> GgufTensor:
    """The tensor of that name; CorruptModel if the file has none."""
    try:
        return file.tensors[name]
    except KeyError:
        raise CorruptModel(f"{file.path} has no tensor {name}.") from None


@dataclass(frozen=True, slots=True)
class _Layer:
    file: GgufFile
    config: ModelConfig
    prefix: str

    def find(self, name: str) -> GgufTensor:
        return find_tensor(self.file, self.prefix + name)

    def has(self, name: str) -> bool:
        return self.prefix + name in self.file.tensors

    def projections(self, kind: str) -> tuple[GgufTensor, ...]:
        """Queries, keys and values; some files have them stacked in one tensor."""
        if self.has(f"attn_qkv.{kind}"):
            query, key, value = _split_rows(self.find(f"attn_qkv.{kind}"), self.config)
        else:
            query, key, value = (self.find(f"attn_{role}.{kind}") for role in "qkv")
        return reorder_heads(query, self.config), reorder_heads(key, self.config), value


def _linears(layer: _Layer) -> dict[Linear, tuple[GgufTensor, ...]]:
    is_split = layer.config.traits.is_gated and layer.has("ffn_gate.weight")
    return {
        "qkv": layer.projections("weight"),
        "attention_output": (layer.find("attn_output.weight"),),
        "gate_up": tuple(layer.find(f"ffn_{role}.weight") for role in (("gate", "up") if is_split else ("up",))),
        "down": (layer.find("ffn_down.weight"),),
    }


def _norms(layer: _Layer) -> dict[str, tuple[GgufTensor, ...]]:
    traits = layer.config.traits
    norms = {"attention_norm": "attn_norm", "feed_forward_norm": "ffn_norm"}
    vectors: dict[str, tuple[GgufTensor, ...]] = {
        f"{name}.gain": (layer.find(f"{stored}.weight"),) for name, stored in norms.items()
    }
    if traits.norm == "layer":
        vectors |= {f"{name}.bias": (layer.find(f"{stored}.bias"),) for name, stored in norms.items()}
    if traits.has_post_norms:
        vectors["attention_output.post_norm"] = (layer.find("post_attention_norm.weight"),)
        vectors["down.post_norm"] = (layer.find("post_ffw_norm.weight"),)
    if traits.has_qk_norm:
        for name, stored in (("query_norm", "attn_q_norm"), ("key_norm", "attn_k_norm")):
            vectors[name] = (reorder_heads(layer.find(f"{stored}.weight"), layer.config),)
    return vectors


def _biases(layer: _Layer) -> dict[str, tuple[GgufTensor, ...]]:
    biases = layer.config.traits.biases
    vectors: dict[str, tuple[GgufTensor, ...]] = {
        f"{linear}.bias": (layer.find(f"{name}.bias"),)
        for linear, name in (("attention_output", "attn_output"), ("down", "ffn_down"))
        if linear in biases
    }
    if "qkv" in biases:
        vectors["qkv.bias"] = layer.projections("bias")
    if "gate_up" in biases:
        roles = ("gate", "up") if layer.config.traits.is_gated else ("up",)
        vectors["gate_up.bias"] = tuple(layer.find(f"ffn_{role}.bias") for role in roles)
    return vectors


def _split_rows(tensor: GgufTensor, config: ModelConfig) -> list[GgufTensor]:
    """A stacked tensor as those of queries, keys and values."""
    ends = np.cumsum([config.num_heads, config.num_kv_heads, config.num_kv_heads]) * config.head_size
    return [slice_rows(tensor, int(start), int(end)) for start, end in zip((0, *ends), ends, strict=False)]


def _head_order(config: ModelConfig) -> npt.NDArray[np.int64]:
    """Which row of a head of the file goes to each place."""
    turned, rest = np.arange(config.rotated), np.arange(config.rotated, config.head_size)
    pairs = turned.reshape(-1, 2).T if config.traits.pairs_neighbours else turned.reshape(2, -1)
    return np.concatenate([pairs[0], rest[: len(rest) // 2], pairs[1], rest[len(rest) // 2 :]])
