"""Keys and values as int8: what is written and read again, and attention on it with biases that dwarf the keys."""

import mmap
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tvm
from hypothesis import given, settings
from hypothesis import strategies as st

from heron.host.compiler.kernels.attention import attention
from heron.host.compiler.kernels.pages import PAGE_SIZE, SCALED_DIMENSIONS, AttentionShape
from heron.host.compiler.kernels.rope import rotate_and_append
from heron.host.compiler.kernels.tiles import count_partials, cut_batch
from heron.host.compiler.rotation import rotation_tables
from unit.host.compiler.kernels.int8_pages import read_keys, read_values
from unit.host.compiler.kernels.test_attention import LANES, target_of
from unit.host.compiler.kernels.test_rope import rotate

Floats = npt.NDArray[np.float32]
NUM_PAGES, LAYER, TABLE = 30, 1, 1


class Kernels:
    """Append and attention of one shape, compiled together, and the tensors that both work on."""

    def __init__(self, name: str, heads: int, kv_heads: int, size: int) -> None:
        self.shape = AttentionShape(heads, kv_heads, size, LANES[name], "int8", restores_bias=True)
        functions = {"rotate_and_append": rotate_and_append(self.shape), "attention": attention(self.shape)}
        target = tvm.target.Target(target_of(name).tvm_attributes())
        self._compiled = tvm.compile(tvm.IRModule(functions), target=target).jit()
        self.frequencies = np.stack([np.zeros(size // 2), 1e6 ** (-np.arange(0, size, 2) / size)])
        pool = (2, NUM_PAGES, kv_heads, self.shape.page_items)
        maps = [mmap.mmap(-1, int(np.prod(pool))) for _ in range(2)]  # aligned as DLPack wants it
        self.pools = [np.frombuffer(each, np.int8).reshape(pool) for each in maps]
        self._tensors = [tvm.runtime.from_dlpack(pool) for pool in self.pools]

    def append(self, qkv: Floats, bias: Floats, first: int, pages: list[int]) -> Floats:
        """Append tokens from position `first` on; the rotated queries."""
        positions = np.arange(first, first + len(qkv), dtype=np.int32)
        slots = np.array(pages, np.int32)[positions // PAGE_SIZE] * PAGE_SIZE + positions % PAGE_SIZE
        turns = rotation_tables(positions, self.frequencies)
        q = tvm.runtime.tensor(np.zeros((len(qkv), self.shape.num_heads * self.shape.head_size), np.float32))
        qkv_tensor, turns, slots, bias = map(tvm.runtime.tensor, (qkv, turns, slots.astype(np.int32), bias))
        self._compiled["rotate_and_append"](qkv_tensor, turns, slots, *self._tensors, bias, LAYER, TABLE, q)
        result: Floats = q.numpy()
        return result

    def attend(self, q: Floats, bias: Floats, first: int, pages: list[int]) -> Floats:
        """Attention of tokens from position `first` on."""
        positions = np.arange(first, first + len(q), dtype=np.int32)
        tiles = cut_batch(self.shape, np.array([0, len(q)], np.int32), positions, 1)
        rows = count_partials(self.shape, first + len(q), 1)
        partials = np.full((self.shape.num_kv_heads, rows, self.shape.state_width), np.nan, np.float32)
        page_turns = rotation_tables(np.arange(NUM_PAGES, dtype=np.int32) * PAGE_SIZE, self.frequencies)
        offsets = rotation_tables(np.arange(PAGE_SIZE, dtype=np.int32), self.frequencies).transpose(0, 2, 1)
        places = [positions, tiles, np.array([pages], np.int32), partials]
        arrays = [*places, bias, page_turns, np.ascontiguousarray(offsets)]
        out = tvm.runtime.tensor(np.full_like(q, np.nan))
        q_tensor = tvm.runtime.tensor(q)
        self._compiled["attention"](q_tensor, *self._tensors, *map(tvm.runtime.tensor, arrays), LAYER, TABLE, out)
        result: Floats = out.numpy()
        return result


@pytest.fixture(
    scope="module",
    params=[("avx512-vnni", 14, 2, 64), ("avx2", 4, 1, 128), ("portable", 2, 1, 80)],
    ids=lambda param: "-".join(map(str, param)),
)
def kernels(request: pytest.FixtureRequest) -> Kernels:
    return Kernels(*request.param)


def sample(shape: AttentionShape, count: int, loudest: float) -> tuple[Floats, Floats]:
    """Queries, keys and values with their bias; the bias of a few key dimensions is as large as Qwen2's."""
    random = np.random.default_rng(3)
    width = (shape.num_heads + 2 * shape.num_kv_heads) * shape.head_size
    bias = random.standard_normal(width).astype(np.float32) * 0.3
    first = shape.num_heads * shape.head_size
    bias[first + 5], bias[first + shape.head_size // 2 + 5], bias[first + 7] = loudest, -loudest / 2, loudest / 3
    return random.standard_normal((count, width)).astype(np.float32) + bias, bias


def test_keys_are_cached_without_their_bias_and_values_as_they_are(kernels: Kernels) -> None:
    shape, pages = kernels.shape, [4, 9, 2]
    qkv, bias = sample(shape, 37, 200.0)
    kernels.append(qkv, bias, 0, pages)
    heads, kv = shape.num_heads, shape.num_kv_heads
    split = (qkv - bias).reshape(37, -1, shape.head_size)
    keys = rotate(split, np.arange(37)[:, None] * kernels.frequencies[TABLE])[:, heads : heads + kv]
    values = qkv.reshape(37, -1, shape.head_size)[:, heads + kv :]
    found_keys = read_keys(shape, kernels.pools[0][LAYER, pages]).transpose(0, 3, 1, 2).reshape(48, kv, -1)[:37]
    found_values = read_values(shape, kernels.pools[1][LAYER, pages]).transpose(0, 2, 1, 3).reshape(48, kv, -1)[:37]
    for found, exact in ((found_keys, keys), (found_values, values)):
        assert np.all(np.abs(found - exact) <= largest_error(exact) + 1e-4)


def test_attention_is_exact_on_what_is_cached(kernels: Kernels) -> None:
    """Up to a bias of 200 that is turned in float32."""
    shape, pages = kernels.shape, list(np.random.default_rng(0).permutation(NUM_PAGES))
    qkv, bias = sample(shape, 300, 200.0)
    q = kernels.append(qkv, bias, 0, pages)
    out = kernels.attend(q, bias, 0, pages)
    keys = read_keys(shape, kernels.pools[0][LAYER, pages]).transpose(0, 3, 1, 2).reshape(-1, *heads_of(shape))[:300]
    values = read_values(shape, kernels.pools[1][LAYER, pages]).transpose(0, 2, 1, 3)
    first = shape.num_heads * shape.head_size
    own = bias[first:].astype(np.float64).reshape(-1, shape.head_size)[: shape.num_kv_heads]
    keys = keys + rotate(own[None].repeat(300, 0), np.arange(300)[:, None] * kernels.frequencies[TABLE])
    expected = attend_in_numpy(shape, q, keys, values.reshape(-1, *heads_of(shape))[:300])
    np.testing.assert_allclose(out, expected, atol=3e-3)


def test_a_token_gets_the_same_bits_alone_and_in_a_prompt(kernels: Kernels) -> None:
    pages = list(range(NUM_PAGES))
    qkv, bias = sample(kernels.shape, 290, 200.0)
    q = kernels.append(qkv, bias, 0, pages)
    together = kernels.attend(q, bias, 0, pages)
    for token in (0, 15, 16, 100, 289):
        np.testing.assert_array_equal(kernels.attend(q[token : token + 1], bias, token, pages)[0], together[token])


@settings(deadline=None, max_examples=40)
@given(
    exponents=st.lists(st.integers(-34, 30), min_size=1, max_size=8),
    seed=st.integers(0, 1 << 16),
    zeros=st.booleans(),
)
def test_what_is_read_again_is_within_half_a_step(
    kernels: Kernels, exponents: list[int], seed: int, zeros: bool
) -> None:
    shape, random = kernels.shape, np.random.default_rng(seed)
    qkv, bias = sample(shape, 1, 0.0)
    values = random.uniform(-1, 1, (shape.num_kv_heads, shape.head_size)) * 10.0 ** random.choice(
        exponents, (shape.num_kv_heads, shape.head_size)
    )
    if zeros:
        values[:, :SCALED_DIMENSIONS] = 0
    exact = values.astype(np.float32)
    qkv[0, -exact.size :] = exact.reshape(-1)
    kernels.append(qkv, bias, 0, [0])
    found = read_values(shape, kernels.pools[1][LAYER, 0])[:, 0]
    assert np.all(np.abs(found - exact) <= largest_error(exact) * 1.001 + 1e-30)


def heads_of(shape: AttentionShape) -> tuple[int, int]:
    return shape.num_kv_heads, shape.head_size


def largest_error(exact: Any) -> Any:
    """Half a step of the group's codes; a scale is rounded up by at most a 128th."""
    peaks = np.empty(exact.shape)
    for first in range(0, exact.shape[-1], SCALED_DIMENSIONS):
        group = np.s_[..., first : first + SCALED_DIMENSIONS]
        peaks[group] = np.abs(exact[group]).max(-1, keepdims=True)
    return peaks / 127 * (1 + 1 / 128) / 2


def attend_in_numpy(shape: AttentionShape, q: Floats, keys: Any, values: Any) -> Any:
    """Causal attention, float64, of keys and values [n, kv heads, head_size]; queries are scaled already."""
    count = len(q)
    queries = q.astype(np.float64).reshape(count, shape.num_kv_heads, shape.group, shape.head_size)
    scores = np.einsum("nkgd,mkd->kgnm", queries, keys)
    scores = np.where(np.tril(np.ones((count, count), bool)), scores, -np.inf)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    return np.einsum("kgnm,mkd->nkgd", weights, values).reshape(count, -1)
