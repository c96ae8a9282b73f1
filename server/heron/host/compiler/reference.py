"""What a model should answer: a float32 forward pass of the dequantised GGUF in numpy, slow and plain.

Tests and the fidelity bench hold the compiled model against it. It shares no code with the kernels and leaves a file's
tensors in the order they are stored, so that a mistake there shows.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from heron.host.compiler.architectures import ModelConfig, read_config, rope_frequencies
from heron.host.compiler.layer_tensors import output_tensors
from heron.host.compiler.reference_math import (
    Float32,
    Int32,
    activate,
    attend,
    layer_norm,
    rms_norm,
    rotate,
    softcap,
)
from heron.host.models.gguf import GgufFile, dequantize, slice_rows

_HEAD_ROWS = 16384  # rows of the output head that are dequantised at a time


def reference_logits(file: GgufFile, token_ids: Int32) -> Float32:
    """Logits float32 [s, n, vocab_size] of the tokens int32 [s, n] of s sequences, each from position 0."""
    hidden = reference_hidden(file, token_ids)
    return finish_logits(file, np.concatenate([hidden @ part.T for part in output_parts(file)], axis=-1))


def reference_hidden(file: GgufFile, token_ids: Int32) -> Float32:
    """Hidden states float32 [s, n, hidden] after the last norm. One layer's weights are in memory at a time."""
    model = _Model(file, read_config(file))
    traits = model.config.traits
    x = model.tensor("token_embd.weight")[token_ids] * np.float32(traits.embedding_scale)
    for index in range(model.config.num_layers):
        layer = _Layer(model, index)
        x = x + _post_norm(layer, "post_attention_norm", _attention(layer, x)) * np.float32(traits.residual_scale)
        x = x + _post_norm(layer, "post_ffw_norm", _feed_forward(layer, x)) * np.float32(traits.residual_scale)
    return _norm(model, "output_norm", x)


def output_parts(file: GgufFile) -> Iterator[Float32]:
    """The output head float32 [rows, hidden], some rows at a time."""
    (tensor,) = output_tensors(file)
    for start in range(0, tensor.shape[0], _HEAD_ROWS):
        yield dequantize(slice_rows(tensor, start, min(start + _HEAD_ROWS, tensor.shape[0])))


def finish_logits(file: GgufFile, logits: Float32) -> Float32:
    """The logits from the output head's products: scaled and capped as the family does."""
    traits = read_config(file).traits
    scaled: Float32 = logits if traits.logit_scale == 1.0 else logits * np.float32(traits.logit_scale)
    return softcap(scaled, traits.logit_softcap)


def argmax_agreement(logits: Float32, reference: Float32) -> float:
    """The share of positions at which both name the same next token; both [..., vocab_size]."""
    return float((logits.argmax(-1) == reference.argmax(-1)).mean())


@dataclass(frozen=True, slots=True)
class _Model:
    file: GgufFile
    config: ModelConfig

    def tensor(self, name: str) -> Float32:
        return dequantize(self.file.tensors[name])


@dataclass(frozen=True, slots=True)
class _Layer:
    model: _Model
    index: int

    @property
    def config(self) -> ModelConfig:
        return self.model.config

    def name(self, role: str) -> str:
        return f"blk.{self.index}.{role}"

    def has(self, role: str) -> bool:
        return self.name(role) in self.model.file.tensors

    def project(self, role: str, x: Float32) -> Float32:
        y = x @ self.model.tensor(self.name(f"{role}.weight")).T
        return y + self.model.tensor(self.name(f"{role}.bias")) if self.has(f"{role}.bias") else y

    def project_heads(self, x: Float32) -> list[Float32]:
        """Queries, keys and values [s, heads, n, head_size]."""
        size, queries = self.config.head_size, self.config.num_heads * self.config.head_size
        keys = queries + self.config.num_kv_heads * size
        if self.has("attn_qkv.weight"):
            joined = np.split(self.project("attn_qkv", x), [queries, keys], axis=-1)
        else:
            joined = [self.project(f"attn_{role}", x) for role in "qkv"]
        return [part.reshape(*x.shape[:2], -1, size).transpose(0, 2, 1, 3) for part in joined]


def _attention(layer: _Layer, x: Float32) -> Float32:
    config, traits = layer.config, layer.config.traits
    query, key, value = layer.project_heads(_norm(layer.model, layer.name("attn_norm"), x))
    if traits.has_qk_norm:
        gains = [layer.model.tensor(layer.name(f"attn_{role}_norm.weight")) for role in "qk"]
        query, key = (rms_norm(part, gain, config.epsilon) for part, gain in zip((query, key), gains, strict=True))
    table = traits.tables.index(traits.rotations[layer.index])
    angles = np.arange(x.shape[1])[:, None] * rope_frequencies(layer.model.file, config)[table]
    query, key = (rotate(part, angles[:, : config.rotated // 2], traits.pairs_neighbours) for part in (query, key))
    query = query * np.float32(traits.query_scale or config.head_size**-0.5)
    group, limits = config.num_heads // config.num_kv_heads, (traits.windows[layer.index], traits.attention_softcap)
    attended = np.stack(
        [
            attend((q, np.repeat(k, group, 0), np.repeat(v, group, 0)), *limits)
            for q, k, v in zip(query, key, value, strict=True)
        ]
    )
    return layer.project("attn_output", attended.transpose(0, 2, 1, 3).reshape(*x.shape[:2], -1))


def _feed_forward(layer: _Layer, x: Float32) -> Float32:
    traits = layer.config.traits
    normed = _norm(layer.model, layer.name("ffn_norm"), x)
    up = layer.project("ffn_up", normed)
    if not traits.is_gated:
        return layer.project("ffn_down", activate(traits.activation, up))
    gate, up = (layer.project("ffn_gate", normed), up) if layer.has("ffn_gate.weight") else np.split(up, 2, axis=-1)
    return layer.project("ffn_down", activate(traits.activation, gate) * up)


def _norm(model: _Model, name: str, x: Float32) -> Float32:
    gain, epsilon = model.tensor(f"{name}.weight"), model.config.epsilon
    if model.config.traits.norm == "rms":
        return rms_norm(x, gain, epsilon)
    return layer_norm(x, gain, model.tensor(f"{name}.bias"), epsilon)


def _post_norm(layer: _Layer, role: str, x: Float32) -> Float32:
    if not layer.config.traits.has_post_norms:
        return x
    return rms_norm(x, layer.model.tensor(layer.name(f"{role}.weight")), layer.config.epsilon)
