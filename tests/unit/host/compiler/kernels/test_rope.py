"""Rotation and append against numpy, on every instruction set this machine runs."""

import math
from typing import Any

import numpy as np
import pytest
import tvm

from heron.host.compiler.kernels.pages import PAGE_SIZE, AttentionShape
from heron.host.compiler.kernels.rope import rotate_and_append
from heron.host.compiler.rotation import rotation_tables
from unit.host.compiler.kernels.test_attention import LANES, compile_kernel, target_of


@pytest.mark.parametrize("num_tokens", [None, 1])
@pytest.mark.parametrize(
    ("name", "shape"),
    [("avx512-vnni", (14, 2, 64)), ("avx2", (4, 1, 128)), ("portable", (3, 3, 64)), ("avx512-vnni", (2, 1, 80))],
)
@pytest.mark.parametrize("epsilon", [0.0, 1e-6])
def test_agrees_with_numpy(name: str, shape: Any, epsilon: float, num_tokens: int | None) -> None:
    target, (heads, kv_heads, size) = target_of(name), shape
    scale = 0.3 if epsilon else 0.0
    shape = AttentionShape(*shape, LANES[name], target.cache_dtype, query_scale=scale, norm_epsilon=epsilon)
    random, count = np.random.default_rng(0), num_tokens or 37
    qkv = random.standard_normal((count, (heads + 2 * kv_heads) * size)).astype(np.float32)
    positions = random.integers(0, 30000, count).astype(np.int32)
    frequencies = 1e6 ** (-np.arange(0, size, 2) / size)
    slots = random.permutation(9 * PAGE_SIZE)[:count].astype(np.int32)
    keys = np.zeros((2, 9, kv_heads, size, PAGE_SIZE), shape.cache_dtype)
    values = np.zeros((2, 9, kv_heads, PAGE_SIZE, size), shape.cache_dtype)
    pools = [pool.reshape(2, 9, kv_heads, shape.page_items) for pool in (keys, values)]
    arrays = [qkv, rotation_tables(positions, np.stack([np.zeros_like(frequencies), frequencies])), slots, *pools]
    gains = [random.standard_normal(size).astype(np.float32) for _ in range(2)] if epsilon else []
    tensors = [tvm.runtime.tensor(array.copy()) for array in arrays]
    q = tvm.runtime.tensor(np.zeros((count, heads * size), np.float32))
    compile_kernel(rotate_and_append(shape, num_tokens), target)(*tensors, *map(tvm.runtime.tensor, gains), 1, 1, q)

    split = qkv.reshape(count, -1, size)
    normed = normalize(split, gains, heads, epsilon) if epsilon else split
    turned = rotate(normed, positions[:, None] * frequencies)
    keys[1, slots // PAGE_SIZE, :, :, slots % PAGE_SIZE] = turned[:, heads : heads + kv_heads]
    values[1, slots // PAGE_SIZE, :, slots % PAGE_SIZE] = split[:, heads + kv_heads :]
    np.testing.assert_allclose(q.numpy(), turned[:, :heads].reshape(count, -1) * shape.scale, atol=3e-6)
    np.testing.assert_allclose(
        tensors[3].numpy().reshape(keys.shape), keys, atol=2e-3 if shape.cache_dtype == "float16" else 5e-6
    )
    np.testing.assert_array_equal(tensors[4].numpy().reshape(values.shape), values)


def normalize(split: Any, gains: Any, heads: int, epsilon: float) -> Any:
    normed = split / np.sqrt((split.astype(np.float64) ** 2).mean(-1, keepdims=True) + epsilon)
    return np.concatenate([normed[:, :heads] * gains[0], normed[:, heads:] * gains[1]], axis=1)


def rotate(x: Any, angles: Any) -> Any:
    cosine, sine = np.cos(angles)[:, None], np.sin(angles)[:, None]
    low, high = np.split(x, 2, axis=-1)
    return np.concatenate([low * cosine - high * sine, high * cosine + low * sine], axis=-1)


def test_angles_stay_exact_at_large_positions() -> None:
    table = rotation_tables(np.array([100_003], np.int32), np.array([[1.0, 0.1]]))[0]
    expected = [math.cos(100_003), math.cos(10_000.3), math.sin(100_003), math.sin(10_000.3)]
    np.testing.assert_allclose(table[0], expected, atol=1e-6)
