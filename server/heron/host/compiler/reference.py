"""What a model should answer: a float32 forward pass of the dequantised GGUF in numpy, slow and plain.

Tests and the fidelity bench hold the compiled model against it. It shares no code with the kernels and leaves a file's
tensors in the order they are stored, so that a mistake there shows.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from heron.host.compiler.architectures import ModelConfig, output_tensors, read_config, rope_frequencies
from heron.host.models.gguf import GgufFile, dequantize

Float32 = npt.NDArray[np.float32]

_HEAD_ROWS = 16384  # rows of the output head that are dequantised at a time


def reference_logits(file: GgufFile, token_ids: npt.NDArray[np.int32]) -> Float32:
    """Logits float32 [s, n, vocab_size] of the tokens int32 [s, n] of s sequences, each from position 0."""
    hidden = reference_hidden(file, token_ids)
    return np.concatenate([hidden @ part.T for part in output_parts(file)], axis=-1)


def reference_hidden(file: GgufFile, token_ids: npt.NDArray[np.int32]) -> Float32:
    """Hidden states float32 [s, n, hidden] after the last norm. One layer's weights are in memory at a time."""
    config = read_config(file)
    x = _tensor(file, "token_embd.weight")[token_ids]
    rotation = _rotation(file, config, token_ids.shape[1])
    for index in range(config.num_layers):
        prefix = f"blk.{index}."
        x = x + _attention(file, config, prefix, x, rotation)
        x = x + _feed_forward(file, config, prefix, x)
    return _norm(file, config, "output_norm.weight", x)


def output_parts(file: GgufFile) -> Iterator[Float32]:
    """The output head float32 [rows, hidden], some rows at a time."""
    (tensor,) = output_tensors(file)
    for start in range(0, tensor.shape[0], _HEAD_ROWS):
        data = tensor.data[start : start + _HEAD_ROWS]
        yield dequantize(type(tensor)(tensor.name, tensor.type_name, (len(data), tensor.shape[1]), data))


def argmax_agreement(logits: Float32, reference: Float32) -> float:
    """The share of positions at which both name the same next token; both [..., vocab_size]."""
    return float((logits.argmax(-1) == reference.argmax(-1)).mean())


def _attention(
    file: GgufFile, config: ModelConfig, prefix: str, x: Float32, rotation: tuple[Float32, Float32]
) -> Float32:
    normed = _norm(file, config, f"{prefix}attn_norm.weight", x)
    query, key, value = (_project(file, f"{prefix}attn_{role}", normed) for role in "qkv")
    size, group = config.head_size, config.num_heads // config.num_kv_heads
    out = np.empty_like(query)
    for sequence in range(len(x)):
        heads = [values[sequence].reshape(x.shape[1], -1, size).transpose(1, 0, 2) for values in (query, key, value)]
        q, k = (_rotate(config, values, rotation) for values in heads[:2])
        attended = _attend(q, np.repeat(k, group, axis=0), np.repeat(heads[2], group, axis=0))
        out[sequence] = attended.transpose(1, 0, 2).reshape(x.shape[1], -1)
    return _project(file, f"{prefix}attn_output", out)


def _attend(query: Float32, key: Float32, value: Float32) -> Float32:
    """Causal attention of [heads, n, head_size]."""
    scores = query @ key.transpose(0, 2, 1) * np.float32(query.shape[-1] ** -0.5)
    scores += np.triu(np.full(scores.shape[1:], -np.inf, np.float32), 1)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    attended: Float32 = weights / weights.sum(-1, keepdims=True) @ value
    return attended


def _feed_forward(file: GgufFile, config: ModelConfig, prefix: str, x: Float32) -> Float32:
    normed = _norm(file, config, f"{prefix}ffn_norm.weight", x)
    gate = _project(file, f"{prefix}ffn_gate", normed)
    with np.errstate(over="ignore"):
        activated = gate / (1 + np.exp(-gate))
    return _project(file, f"{prefix}ffn_down", activated * _project(file, f"{prefix}ffn_up", normed))


def _project(file: GgufFile, name: str, x: Float32) -> Float32:
    y = x @ _tensor(file, f"{name}.weight").T
    return y + _tensor(file, f"{name}.bias") if f"{name}.bias" in file.tensors else y


def _norm(file: GgufFile, config: ModelConfig, name: str, x: Float32) -> Float32:
    mean_square = np.square(x).mean(-1, keepdims=True)
    normed: Float32 = x / np.sqrt(mean_square + np.float32(config.epsilon)) * _tensor(file, name)
    return normed


def _rotation(file: GgufFile, config: ModelConfig, num_positions: int) -> tuple[Float32, Float32]:
    angles = np.arange(num_positions)[:, None] * rope_frequencies(file, config)
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


def _rotate(config: ModelConfig, x: Float32, rotation: tuple[Float32, Float32]) -> Float32:
    """Rotate [heads, n, head_size]: neighbours (llama) or halves (qwen2) are a pair."""
    cosine, sine = rotation
    half = config.head_size // 2
    first = slice(0, None, 2) if config.family == "llama" else slice(0, half)
    second = slice(1, None, 2) if config.family == "llama" else slice(half, None)
    rotated = np.empty_like(x)
    rotated[..., first] = x[..., first] * cosine - x[..., second] * sine
    rotated[..., second] = x[..., second] * cosine + x[..., first] * sine
    return rotated


def _tensor(file: GgufFile, name: str) -> Float32:
    return dequantize(file.tensors[name])
