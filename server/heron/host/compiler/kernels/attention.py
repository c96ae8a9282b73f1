"""Attention over the paged KV cache: one kernel for prefill, chunked prefill, decode, verify and mixed batches.

Queries are ragged, keys are paged. A page holds 16 tokens; its keys lie d-major (`[head_size][16]`, so that one vector
is one dimension of many keys), its values token-major (`[16][head_size]`). The work is cut into tiles by
`pages.plan_tiles`: a few neighbouring tokens of one sequence times the query heads that share a key head, so that keys
and values are read and widened to float32 once a tile. Each tile walks its keys in blocks with a running maximum and
sum (Milakov and Gimelshein 2018; Dao et al. 2022, FlashAttention).

The arithmetic of a row does not depend on what else is in its tile or batch: the same token gets the same bits in
prefill and in decode.
"""

from functools import reduce
from typing import Any

from tvm.script.ir_builder import IRBuilder
from tvm.tirx.script import builder as T

from heron.host.compiler.kernels.attention_registers import accumulate, score
from heron.host.compiler.kernels.attention_tile import (
    Inputs,
    Tile,
    declare_inputs,
    declare_tile,
    each_register_tile,
    each_row,
)
from heron.host.compiler.kernels.pages import PAGE_SIZE, AttentionShape
from heron.host.compiler.kernels.vector import (
    Expr,
    constant,
    exp,
    load,
    reduce_max,
    reduce_sum,
    softcap,
    splat,
    store,
    to_type,
)

_MASKED = -1e30


def attention(shape: AttentionShape, num_tokens: int | None = None) -> Any:
    """PrimFunc `(q, keys, values, positions, tiles, page_table, layer, [window], out)`.

    q float32 [n, num_heads * head_size], already scaled; keys [layers, pages, kv heads, head_size, 16]
    and values [layers, pages, kv heads, 16, head_size] in the cache's dtype; positions int32 [n]; tiles int32 [t, 4]
    from `plan_tiles`; page_table int32 [b, w]; window, for a shape that has windows, the tokens a query sees, its own
    included; out like q. `num_tokens` fixes n.
    """
    with IRBuilder() as builder, T.prim_func(s_tir=True):
        T.func_name("attention" if num_tokens is None else f"attention_{num_tokens}")
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True, "op_pattern": 8})
        inputs = declare_inputs(shape, num_tokens)
        with T.sblock("root"):
            T.reads()
            T.writes()
            with T.parallel(0, inputs.tiles.shape[0] * shape.num_kv_heads) as task:
                _attend(shape, inputs, task)
    return builder.get()


def _attend(shape: AttentionShape, inputs: Inputs, task: Expr) -> None:
    tile = declare_tile(shape, inputs, task)
    each_row(tile, lambda row: _start_row(shape, inputs, tile, row))
    _clear_padding(shape, tile)
    skipped = _skip_blocks(shape, inputs, tile)
    with T.serial(0, (tile.num_keys + shape.block_keys - 1) // shape.block_keys - skipped) as block:
        first = T.bind((block + skipped) * shape.block_keys)
        count = T.bind(T.min(tile.num_keys - first, shape.block_keys))
        _widen_block(shape, inputs, tile, (first, count))
        each_register_tile(shape, tile, lambda row: score(shape, tile.query, tile.keys, (tile.weights, row)))
        each_row(tile, lambda row: _weigh(shape, tile, row, (first, inputs.window)))
        each_register_tile(
            shape,
            tile,
            lambda row: accumulate(shape, tile.weights, (tile.values, count), (tile.sums, tile.shrink, row)),
        )
    each_row(tile, lambda row: _write_row(shape, inputs, tile, row))


def _skip_blocks(shape: AttentionShape, inputs: Inputs, tile: Tile) -> Expr:
    """How many whole blocks lie before all windows of the tile's rows; the first row's reaches furthest back."""
    if inputs.window is None:
        return 0
    oldest = T.Cast("int64", tile.position[0]) - inputs.window + 1
    return T.bind(T.Cast("int32", T.max(oldest, T.int64(0)) // shape.block_keys))


def _row_place(shape: AttentionShape, tile: Tile, row: Expr) -> tuple[Expr, Expr]:
    """Token and first column of a row in q and out."""
    column = (tile.head * shape.group + row % shape.group) * shape.head_size
    return T.bind(tile.first + row // shape.group), T.bind(column)


def _start_row(shape: AttentionShape, inputs: Inputs, tile: Tile, row: Expr) -> None:
    token, column = _row_place(shape, tile, row)
    zero = constant(0.0, "float32", shape.lanes)
    T.buffer_store(tile.position, inputs.positions[token], [row])
    T.buffer_store(tile.maxima, T.float32(_MASKED), [row])
    store(tile.totals, zero, [row], 0, shape.lanes)
    for start in range(0, shape.head_size, shape.lanes):
        store(tile.query, load(inputs.q, [token], column + start, shape.lanes), [row], start, shape.lanes)
        store(tile.sums, zero, [row], start, shape.lanes)


def _clear_padding(shape: AttentionShape, tile: Tile) -> None:
    """Clear the rows that fill up the last register tile: they are computed and dropped, and scratch holds anything."""
    zero, step = constant(0.0, "float32", shape.lanes), shape.register_rows
    with T.serial(tile.num_rows, (tile.num_rows + step - 1) // step * step) as row:
        store(tile.shrink, zero, [row], 0, shape.lanes)
        for start in range(0, shape.head_size, shape.lanes):
            store(tile.query, zero, [row], start, shape.lanes)
            store(tile.sums, zero, [row], start, shape.lanes)


def _widen_block(shape: AttentionShape, inputs: Inputs, tile: Tile, span: tuple[Expr, Expr]) -> None:
    """Copy `span` (first, count) of the keys and values to float32 scratch, in whole pages."""
    first, count = span
    with T.serial(0, (count + PAGE_SIZE - 1) // PAGE_SIZE) as index:
        page = T.bind(inputs.page_table[tile.sequence, first // PAGE_SIZE + index])
        place = [inputs.layer, page, tile.head]
        with T.serial(0, shape.head_size) as d:
            for start in range(0, PAGE_SIZE, shape.lanes):
                wide = to_type(load(inputs.keys, [*place, d], start, shape.lanes), "float32", shape.lanes)
                store(tile.keys, wide, [d], index * PAGE_SIZE + start, shape.lanes)
        with T.serial(0, PAGE_SIZE) as offset:
            for start in range(0, shape.head_size, shape.lanes):
                wide = to_type(load(inputs.values, [*place, offset], start, shape.lanes), "float32", shape.lanes)
                store(tile.values, wide, [index * PAGE_SIZE + offset], start, shape.lanes)


def _weigh(shape: AttentionShape, tile: Tile, row: Expr, block: tuple[Expr, Expr | None]) -> None:
    """Turn a row's scores into exponentials below the running maximum; keys it does not see weigh nothing.

    `block` is the block's first key and the window.
    """
    lanes, starts = shape.lanes, range(0, shape.block_keys, shape.lanes)
    _cap_scores(shape, tile, row)
    visible = _visible_keys(shape, tile.position[row], block)
    masked, zero = constant(_MASKED, "float32", lanes), constant(0.0, "float32", lanes)
    scores = [
        T.bind(T.Select(mask, load(tile.weights, [row], start, lanes), masked))
        for start, mask in zip(starts, visible, strict=True)
    ]
    old = T.bind(tile.maxima[row])
    new = T.bind(T.max(old, reduce_max(reduce(T.max, scores))))
    shrink = T.bind(exp(splat(old - new, lanes), lanes))
    weights = [
        T.bind(T.Select(mask, exp(score - splat(new, lanes), lanes), zero))
        for score, mask in zip(scores, visible, strict=True)
    ]
    for start, weight in zip(starts, weights, strict=True):
        store(tile.weights, weight, [row], start, lanes)
    T.buffer_store(tile.maxima, new, [row])
    store(tile.shrink, shrink, [row], 0, lanes)
    total = load(tile.totals, [row], 0, lanes) * shrink + reduce(lambda a, b: a + b, weights)
    store(tile.totals, total, [row], 0, lanes)


def _visible_keys(shape: AttentionShape, position: Expr, block: tuple[Expr, Expr | None]) -> list[Expr]:
    """A mask for each vector of the block's keys: those up to the position, from the window's first on."""
    (first, window), lanes = block, shape.lanes
    last = T.bind(splat(position - T.Cast("int32", first), lanes))
    ramps = [T.Ramp(T.int32(start), T.int32(1), lanes) for start in range(0, shape.block_keys, lanes)]
    if window is None:
        return [ramp <= last for ramp in ramps]
    before = T.bind(last - splat(T.Cast("int32", window), lanes))
    return [T.And(ramp <= last, ramp > before) for ramp in ramps]


def _cap_scores(shape: AttentionShape, tile: Tile, row: Expr) -> None:
    """Soft-cap a row's scores in place.

    Through memory, because TVM inlines pure expressions and then simplifies one that is selected under a mask as if
    the mask held for all lanes: the maximum would be that of keys the row does not see.
    """
    if shape.softcap:
        for start in range(0, shape.block_keys, shape.lanes):
            capped = softcap(load(tile.weights, [row], start, shape.lanes), shape.softcap, shape.lanes)
            store(tile.weights, capped, [row], start, shape.lanes)


def _write_row(shape: AttentionShape, inputs: Inputs, tile: Tile, row: Expr) -> None:
    token, column = _row_place(shape, tile, row)
    total = reduce_sum(load(tile.totals, [row], 0, shape.lanes), "float32")
    scale = T.bind(splat(T.float32(1) / total, shape.lanes))
    for start in range(0, shape.head_size, shape.lanes):
        value = load(tile.sums, [row], start, shape.lanes) * scale
        store(inputs.out, value, [token], column + start, shape.lanes)
