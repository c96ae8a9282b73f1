"""Attention over the paged KV cache, and what surrounds it: rotation and append before, combining after.

Keys and values lie token-major in pages, float16 `[layers][pages][kv heads][16][head_size]`. A block takes one token
and one key head with its group of query heads, and a share of that token's pages; each of its warps walks pages of its
own with a running maximum and sum (Milakov and Gimelshein 2018; Dao et al. 2023, Flash-Decoding). The warps' partial
results are combined, and quantised for the output projection, by a second kernel.
"""

import math
from dataclasses import dataclass
from typing import Any

from tvm.tirx.script import builder as T

from heron.host.compiler.gpu.activation import declare_quantised, quantize_group
from heron.host.compiler.gpu.emit import (
    WARP,
    Expr,
    argument,
    await_producers,
    broadcast,
    build_kernel,
    copy_words,
    launch,
    put,
    registers,
    shared,
    synchronize,
    vector_halves,
    warp_max,
    warp_sum,
    when,
)
from heron.host.compiler.gpu.shapes import (
    ATTENTION_WARPS,
    MAX_PARTIALS,
    MAX_TOKENS,
    PAGE_STARTS,
    PAGES,
    PLACES_SIZE,
    POSITIONS,
    SLOTS,
    DecoderShape,
)
from heron.host.compiler.kernels.pages import PAGE_SIZE

_THREADS = ATTENTION_WARPS * WARP
_LOWEST = -1e30  # a score below every real one; not infinite, so that differences stay numbers
_PAD = 4  # floats between the halves of a query in shared memory: they would lie in the same banks


def rotate_and_append(shape: DecoderShape) -> Any:
    """PrimFunc `rotate_and_append(n, layer, places, qkv, rotation, keys, values, q)`.

    qkv float32 [·, (heads + 2 kv heads) * head_size]; rotation float32 [positions, head_size], cosines then sines; q
    float32 [·, heads * head_size] is rotated and scaled by 1 / sqrt(head_size). Slot -1 is not appended.
    """

    def emit() -> None:
        n, layer = T.arg("n", T.int32()), T.arg("layer", T.int32())
        places = argument("places", (PLACES_SIZE,), "int32")
        qkv = argument("qkv", (MAX_TOKENS, shape.qkv), "float32")
        rotation = argument("rotation", (T.int32(), shape.head_size), "float32")
        keys, values = declare_pools(shape)
        q = argument("q", (MAX_TOKENS, shape.attended), "float32")
        with launch([n], _THREADS) as (token, thread):
            slot = T.Bind(places[token + SLOTS])
            append = Append(shape, layer, slot)
            _rotate(append, (token, thread), (qkv, rotation, places), (q, keys))
            first = (shape.num_heads + shape.num_kv_heads) * shape.head_size
            for start in range(0, shape.num_kv_heads * shape.head_size, _THREADS):
                column = T.Bind(thread + start)
                with when(T.And(column < shape.num_kv_heads * shape.head_size, slot >= 0)):
                    append.store(
                        values, column // shape.head_size, column % shape.head_size, qkv[token, column + first]
                    )

    return build_kernel("rotate_and_append", emit)


def attend(shape: DecoderShape) -> Any:
    """PrimFunc `attend(n, splits, layer, places, q, keys, values, sums, maxima, weights)`: partial results.

    sums float32 [partials, heads, head_size]; maxima and weights float32 [partials, heads]; the partials of a token are
    splits * ATTENTION_WARPS neighbouring ones.
    """

    def emit() -> None:
        n, splits, layer = (T.arg(name, T.int32()) for name in ("n", "splits", "layer"))
        places = argument("places", (PLACES_SIZE,), "int32")
        q = argument("q", (MAX_TOKENS, shape.attended), "float32")
        pools = declare_pools(shape)
        partials = _declare_partials(shape)
        with launch([n, shape.num_kv_heads, splits], _THREADS, awaits=False) as (token, head, split, thread):
            first = T.Bind(split * ATTENTION_WARPS + thread // WARP)
            num_keys = T.Bind(places[token + POSITIONS] + 1)
            num_pages = T.Bind(T.shift_right(num_keys + (PAGE_SIZE - 1), T.int32(4)))
            stride = T.Bind(splits * ATTENTION_WARPS)
            start = T.Bind(places[token + PAGE_STARTS] + PAGES + first)
            await_producers()  # no kernel writes places
            queries = _share_queries(shape, q, (token, head, thread))
            state = _start(shape, queries, thread)
            # The same number of steps for every warp of the block: they meet at barriers.
            steps = T.truncdiv(num_pages + stride - 1 - split * ATTENTION_WARPS, stride)
            with T.serial(0, T.max(steps, 0)) as step:
                left = T.Bind(num_keys - (first + step * stride) * PAGE_SIZE)
                page = T.Bind(T.if_then_else(left > 0, places[start + step * stride], 0))
                _add_page(shape, state, [(pool, (layer, page, head)) for pool in pools], left)
            _write_partials(shape, state, partials, (token * stride + first, head))

    return build_kernel("attend", emit)


def combine(shape: DecoderShape, count: int) -> Any:
    """PrimFunc `combine_<count>(n, sums, maxima, weights, codes, scales, sums)`: `count` partials a token to heads.

    A warp makes 32 dimensions of a head, and quantises them for the output projection.
    """
    groups = shape.attended // WARP

    def emit() -> None:
        n = T.arg("n", T.int32())
        sums, maxima, weights = _declare_partials(shape)
        target = declare_quantised(shape.attended)
        with launch([n, groups], WARP) as (token, group, lane):
            head, first = T.Bind(group * WARP // shape.head_size), T.Bind(token * count)
            column = T.Bind(group * WARP % shape.head_size + lane)
            factors, weight = _weigh_partials((maxima, weights), (first, head), lane, count)
            total = registers(1, "float32")
            put(total, T.float32(0), 0)
            for index in range(count):
                factor = broadcast(factors[index // WARP], index % WARP)
                put(total, total[0] + factor * sums[first + index, head, column], 0)
            quantize_group(target, (token, group), lane, total[0] / T.max(weight, T.float32(1e-30)))

    return build_kernel(f"combine_{count}", emit)


def _weigh_partials(
    partials: tuple[Any, Any], place: tuple[Expr, Expr], lane: Expr, count: int
) -> tuple[list[Expr], Expr]:
    """Factors of the partials, lane i holding those of i, i + 32, …; and the sum of weights times factors."""
    (maxima, weights), (first, head) = partials, place
    rows = [T.Bind(first + T.min(lane + start, count - 1)) for start in range(0, count, WARP)]
    highest = [T.Bind(maxima[row, head]) for row in rows]
    largest = highest[0]
    for value in highest[1:]:
        largest = T.max(largest, value)
    largest = T.Bind(warp_max(largest))
    factors = [T.Bind(T.exp(value - largest)) for value in highest]
    weight: Expr = T.float32(0)
    for start, row, factor in zip(range(0, count, WARP), rows, factors, strict=True):
        weight = weight + T.Select(lane + start < count, factor * weights[row, head], T.float32(0))
    return factors, T.Bind(warp_sum(weight))


def copy_page(shape: DecoderShape) -> Any:
    """PrimFunc `copy_page(source, target, keys, values)`: one page of all layers."""

    def emit() -> None:
        source, target = T.arg("source", T.int32()), T.arg("target", T.int32())
        pools = declare_pools(shape)
        with launch([shape.num_layers, shape.num_kv_heads], _THREADS) as (layer, head, thread):
            for start in range(0, PAGE_SIZE * shape.head_size, _THREADS):
                row, column = (thread + start) // shape.head_size, (thread + start) % shape.head_size
                for pool in pools:
                    put(pool, pool[layer, source, head, row, column], layer, target, head, row, column)

    return build_kernel("copy_page", emit)


@dataclass(frozen=True, slots=True)
class Append:
    """Where a token's keys and values go."""

    shape: DecoderShape
    layer: Expr
    slot: Expr

    def store(self, pool: Any, head: Expr, column: Expr, value: Expr) -> None:
        page, row = T.shift_right(self.slot, T.int32(4)), T.bitwise_and(self.slot, PAGE_SIZE - 1)
        put(pool, T.Cast("float16", value), self.layer, page, head, row, column)


def _rotate(append: Append, place: tuple[Expr, Expr], inputs: tuple[Any, Any, Any], outputs: tuple[Any, Any]) -> None:
    """Rotate the queries into `q` and the keys into their pages; pairs of dimensions are dealt to the threads."""
    (token, thread), (qkv, rotation, places), (q, keys), shape = place, inputs, outputs, append.shape
    half, position = shape.head_size // 2, T.Bind(T.max(places[token + POSITIONS], 0))
    pairs, scale = (shape.num_heads + shape.num_kv_heads) * half, T.float32(1 / math.sqrt(shape.head_size))
    for start in range(0, pairs, _THREADS):
        pair = T.Bind(thread + start)
        with when(pair < pairs):
            head, d = T.Bind(pair // half), T.Bind(pair % half)
            column = T.Bind(head * shape.head_size + d)
            low, high = T.Bind(qkv[token, column]), T.Bind(qkv[token, column + half])
            cosine, sine = T.Bind(rotation[position, d]), T.Bind(rotation[position, d + half])
            rotated = ((0, T.Bind(low * cosine - high * sine)), (half, T.Bind(high * cosine + low * sine)))
            for offset, value in rotated:
                with when(head < shape.num_heads):
                    put(q, value * scale, token, column + offset)
                with when(T.And(head >= shape.num_heads, append.slot >= 0)):
                    append.store(keys, head - shape.num_heads, d + offset, value)


@dataclass(frozen=True, slots=True)
class _State:
    """What a warp holds while it walks its pages, for each query head of the group."""

    queries: Any
    scores: Any
    maxima: Any
    weights: Any
    sums: Any
    warp: Expr
    lane: Expr


def declare_pools(shape: DecoderShape) -> tuple[Any, Any]:
    pages = T.int32()
    pool = (shape.num_layers, pages, shape.num_kv_heads, PAGE_SIZE, shape.head_size)
    return argument("keys", pool, "float16"), argument("values", pool, "float16")


def _declare_partials(shape: DecoderShape) -> tuple[Any, Any, Any]:
    heads = (MAX_PARTIALS, shape.num_heads)
    return (
        argument("partial_sums", (*heads, shape.head_size), "float32"),
        argument("partial_maxima", heads, "float32"),
        argument("partial_weights", heads, "float32"),
    )


def _share_queries(shape: DecoderShape, q: Any, place: tuple[Expr, Expr, Expr]) -> Any:
    """The group's queries in shared memory, float32 [group, 2, head_size / 2 + pad]; flat, or TVM cuts off the pad."""
    token, head, thread = place
    half, width = shape.head_size // 2, shape.group * shape.head_size
    queries = shared([shape.group * 2 * (half + _PAD)], "float32")
    for start in range(0, width, _THREADS):
        column = T.Bind(thread + start)
        with when(column < width):
            put(queries, q[token, head * width + column], column // half * (half + _PAD) + column % half)
    synchronize()
    return queries


def _start(shape: DecoderShape, queries: Any, thread: Expr) -> _State:
    group, columns = shape.group, shape.head_size // WARP
    scores = shared([ATTENTION_WARPS, group, PAGE_SIZE], "float32")
    maxima, weights, sums = (registers(count, "float32") for count in (group, group, group * columns))
    for head in range(group):
        put(maxima, T.float32(_LOWEST), head)
        put(weights, T.float32(0), head)
    for index in range(group * columns):
        put(sums, T.float32(0), index)
    return _State(queries, scores, maxima, weights, sums, T.Bind(thread // WARP), T.Bind(thread % WARP))


def _add_page(shape: DecoderShape, state: _State, pools: list[Any], left: Expr) -> None:
    """Bring one page into the running sums; its first `left` keys count, perhaps none."""
    keys, values = _load_keys(shape, state, pools[0]), _load_values(shape, state, pools[1])
    _score_keys(shape, state, keys, left)
    synchronize()
    _add_values(shape, state, values)
    synchronize()


def _load_keys(shape: DecoderShape, state: _State, place: Any) -> Any:
    """Registers with half a key: two lanes a key."""
    pool, indices = place
    half, lanes = shape.head_size // 2, vector_halves()
    halves = registers(half, "float16")
    for start in range(0, half, lanes):
        source = T.Ramp(state.lane % 2 * half + start, 1, lanes)
        T.buffer_store(halves, pool[(*indices, state.lane // 2, source)], [T.Ramp(start, 1, lanes)])
    return halves


def _load_values(shape: DecoderShape, state: _State, place: Any) -> Any:
    """Registers with a few dimensions of each row of the page."""
    pool, indices = place
    columns = shape.head_size // WARP
    values = registers(PAGE_SIZE * columns, "float16")
    for row in range(PAGE_SIZE):
        source = pool[(*indices, row, T.Ramp(state.lane * columns, 1, columns))]
        T.buffer_store(values, source, [T.Ramp(row * columns, 1, columns)])
    return values


def _score_keys(shape: DecoderShape, state: _State, halves: Any, left: Expr) -> None:
    """Scores of the page's keys become weights; sums so far are scaled to a new maximum."""
    half, columns = shape.head_size // 2, shape.head_size // WARP
    key, side = T.Bind(state.lane // 2), T.Bind(state.lane % 2)
    for head in range(shape.group):
        score = warp_sum(_dot(state.queries, T.Bind((2 * head + side) * (half + _PAD)), halves, half), 2)
        score = T.Bind(T.Select(key < left, score, T.float32(_LOWEST)))
        maximum = T.Bind(T.max(state.maxima[head], warp_max(score)))
        factor = T.Bind(T.exp(state.maxima[head] - maximum))
        weight = T.Bind(T.Select(key < left, T.exp(score - maximum), T.float32(0)))
        put(state.maxima, maximum, head)
        put(state.weights, state.weights[head] * factor + weight, head)
        for index in range(head * columns, (head + 1) * columns):
            put(state.sums, state.sums[index] * factor, index)
        with when(side == 0):
            put(state.scores, weight, state.warp, head, key)


def _dot(queries: Any, first: Expr, halves: Any, half: int) -> Expr:
    """The product of half a query with half a key in registers."""
    total = registers(1, "float32")
    put(total, T.float32(0), 0)
    for start in range(0, half, 4):
        part = registers(4, "float32")
        copy_words(part, queries, [first + start], 4)
        for index in range(4):
            put(total, total[0] + part[index] * T.Cast("float32", halves[start + index]), 0)
    return total[0]


def _add_values(shape: DecoderShape, state: _State, values: Any) -> None:
    """The page's values times their weights."""
    columns = shape.head_size // WARP
    for first in range(0, PAGE_SIZE, 4):
        for head in range(shape.group):
            weights = registers(4, "float32")
            copy_words(weights, state.scores, [state.warp, head, first], 4)
            for row in range(4):
                for column in range(columns):
                    product = weights[row] * T.Cast("float32", values[(first + row) * columns + column])
                    put(state.sums, state.sums[head * columns + column] + product, head * columns + column)


def _write_partials(
    shape: DecoderShape, state: _State, partials: tuple[Any, Any, Any], place: tuple[Expr, Expr]
) -> None:
    (sums, maxima, weights), (partial, kv_head) = partials, place
    columns = shape.head_size // WARP
    for head in range(shape.group):
        query_head = T.Bind(kv_head * shape.group + head)
        for column in range(columns):
            value = state.sums[head * columns + column]
            put(sums, value, partial, query_head, state.lane * columns + column)
        total = warp_sum(state.weights[head])
        with when(state.lane == 0):
            put(maxima, state.maxima[head], partial, query_head)
            put(weights, total * T.float32(0.5), partial, query_head)  # two lanes counted each key
