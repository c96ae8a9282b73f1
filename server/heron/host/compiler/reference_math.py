"""The formulas of a decoder in numpy, float32, as they are written down."""

import numpy as np
import numpy.typing as npt

from heron.host.compiler.traits import Activation

Float32 = npt.NDArray[np.float32]
Int32 = npt.NDArray[np.int32]


def rms_norm(x: Float32, gain: Float32, epsilon: float) -> Float32:
    """x over the root of its mean square, times a gain, along the last axis."""
    normed: Float32 = x / np.sqrt(np.square(x).mean(-1, keepdims=True) + np.float32(epsilon)) * gain
    return normed


def layer_norm(x: Float32, gain: Float32, bias: Float32, epsilon: float) -> Float32:
    """x less its mean, over its deviation, times a gain, plus a bias, along the last axis."""
    centred = x - x.mean(-1, keepdims=True)
    return rms_norm(centred, gain, epsilon) + bias


def activate(kind: Activation, x: Float32) -> Float32:
    """SiLU, or GELU as tanh approximates it."""
    with np.errstate(over="ignore"):
        if kind == "silu":
            silu: Float32 = x / (1 + np.exp(-x))
            return silu
        inner = np.float32(np.sqrt(2 / np.pi)) * (x + np.float32(0.044715) * x**3)
        gelu: Float32 = np.float32(0.5) * x * (1 + np.tanh(inner))
        return gelu


def softcap(x: Float32, cap: float) -> Float32:
    """cap * tanh(x / cap); x itself for a cap of 0."""
    capped: Float32 = np.float32(cap) * np.tanh(x / np.float32(cap)) if cap else x
    return capped


def attend(heads: tuple[Float32, Float32, Float32], window: int, cap: float) -> Float32:
    """Causal attention of scaled queries, keys and values [heads, n, head_size]; `window` 0 sees everything."""
    query, key, value = heads
    scores = softcap(query @ key.transpose(0, 2, 1), cap)
    distance = np.subtract.outer(np.arange(query.shape[1]), np.arange(key.shape[1]))
    hidden = (distance < 0) | ((distance >= window) if window else False)
    scores = np.where(hidden, np.float32(-np.inf), scores)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    attended: Float32 = weights / weights.sum(-1, keepdims=True) @ value
    return attended


def rotate(x: Float32, angles: npt.NDArray[np.float64], pairs_neighbours: bool) -> Float32:
    """Turn the first dimensions of [..., n, head_size] by angles [n, pairs]: neighbours or halves are a pair."""
    pairs = angles.shape[1]
    cosine, sine = np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
    first = slice(0, 2 * pairs, 2) if pairs_neighbours else slice(0, pairs)
    second = slice(1, 2 * pairs, 2) if pairs_neighbours else slice(pairs, 2 * pairs)
    rotated = x.copy()
    rotated[..., first] = x[..., first] * cosine - x[..., second] * sine
    rotated[..., second] = x[..., second] * cosine + x[..., first] * sine
    return rotated
