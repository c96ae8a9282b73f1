"""Attention over the paged KV cache: one kernel for prefill, chunked prefill, decode, verify and mixed batches.

Queries are ragged, keys are paged (`pages`). The work is cut into tiles by `tiles`: a few neighbouring tokens of one
sequence times the query heads that share a key head, so that keys and values are read and widened to float32 once a
tile. Each tile walks its keys in segments, and those in blocks with a running maximum and sum (Milakov and Gimelshein
2018; Dao et al. 2022, FlashAttention). Where one thread walks all segments it merges them as it goes; where several
share them, they leave what each segment gave, and a second pass merges it in the same order (FlashDecoding).

The arithmetic of a row does not depend on what else is in its tile or batch, nor on how many threads there are: the
same token gets the same bits in prefill and in decode.
"""

from functools import partial, reduce
from typing import Any

from tvm.script.ir_builder import IRBuilder
from tvm.tirx.script import builder as T

from heron.host.compiler.kernels.attention_ahead import Hint, look_ahead, only_first
from heron.host.compiler.kernels.attention_registers import accumulate, score
from heron.host.compiler.kernels.attention_state import (
    MASKED,
    clear_state,
    copy_state,
    merge_state,
    read_maximum,
    update_weights,
    write_output,
)
from heron.host.compiler.kernels.attention_tile import (
    Inputs,
    Tile,
    declare_inputs,
    declare_tile,
    each_register_tile,
    each_row,
)
from heron.host.compiler.kernels.cache import widen_keys, widen_values
from heron.host.compiler.kernels.key_bias import turn_to_page
from heron.host.compiler.kernels.pages import PAGE_SIZE, SEGMENT_KEYS, AttentionShape
from heron.host.compiler.kernels.vector import Expr, constant, exp, load, reduce_max, softcap, splat, store


def attention(shape: AttentionShape, num_tokens: int | None = None) -> Any:
    """PrimFunc `(q, keys, values, positions, tiles, page_table, partials, [biases], layer, [table], [window], out)`.

    q float32 [n, num_heads * head_size], already scaled; keys and values [layers, pages, kv heads, page_items] in the
    cache's dtype; positions int32 [n]; tiles int32 [t, 6] from `tiles.cut_batch`; page_table int32 [b, w]; partials
    float32 [kv heads, p, state_width], scratch for tiles that are cut; for a shape that restores keys' biases, the
    tensors of a `KeyBias` and which of its tables; window, for a shape that has windows, the tokens a query sees, its
    own included; out like q. `num_tokens` fixes n.
    """
    with IRBuilder() as builder, T.prim_func(s_tir=True):
        T.func_name("attention" if num_tokens is None else f"attention_{num_tokens}")
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True, "op_pattern": 8})
        inputs = declare_inputs(shape, num_tokens)
        with T.sblock("root"):
            T.reads()
            T.writes()
            num_tasks = inputs.tiles.shape[0] * shape.num_kv_heads
            with T.parallel(0, num_tasks) as task:
                _attend(shape, inputs, declare_tile(shape, inputs, task))
            with T.If(inputs.tiles[0, 5] >= 0), T.Then(), T.parallel(0, num_tasks) as task:
                _merge_pieces(shape, inputs, declare_tile(shape, inputs, task))
    return builder.get()


def _attend(shape: AttentionShape, inputs: Inputs, tile: Tile) -> None:
    each_row(tile, lambda row: _start_row(shape, inputs, tile, row))
    _clear_padding(shape, tile)
    oldest = _oldest_key(shape, inputs, tile.position[0])
    skipped = T.bind(T.max(tile.first_key, oldest) // SEGMENT_KEYS)
    with T.serial(0, (tile.num_keys + SEGMENT_KEYS - 1) // SEGMENT_KEYS - skipped) as index:
        segment = T.bind(index + skipped)
        _clear_segment(shape, tile)
        _attend_segment(shape, inputs, tile, (segment, oldest))
        with T.If(tile.partial < 0):
            with T.Then():
                each_row(tile, lambda row: merge_state(shape, (tile.whole, [row]), (tile.segment, [row])))
            with T.Else():
                first = T.bind(tile.partial + segment * tile.num_rows)
                each_row(
                    tile,
                    lambda row: copy_state(shape, (tile.segment, [row]), (inputs.partials, [tile.head, first + row])),
                )
    with T.If(tile.partial < 0), T.Then():
        each_row(tile, lambda row: _write_row(shape, inputs, tile, row))


def _attend_segment(shape: AttentionShape, inputs: Inputs, tile: Tile, which: tuple[Expr, Expr]) -> None:
    """Walk the blocks of segment `which[0]` that lie after the windows' oldest key, `which[1]`."""
    segment, oldest = which
    first_block = T.bind(T.max(segment * SEGMENT_KEYS, oldest) // shape.block_keys)
    end = T.bind(T.min(tile.num_keys, (segment + 1) * SEGMENT_KEYS))
    with T.serial(0, (end + shape.block_keys - 1) // shape.block_keys - first_block) as block:
        first = T.bind((block + first_block) * shape.block_keys)
        count = T.bind(T.min(end - first, shape.block_keys))
        _widen_block(shape, inputs, tile, (first, count))
        _attend_block(shape, inputs, tile, (first, count))


def _attend_block(shape: AttentionShape, inputs: Inputs, tile: Tile, span: tuple[Expr, Expr]) -> None:
    """Attend to a block that was widened, `span` (first, count), and have the next one fetched meanwhile."""
    first, count = span
    ahead = look_ahead(shape, inputs, tile, first + shape.block_keys)
    keys, values = ahead.hint(inputs.keys), ahead.hint(inputs.values)

    def score_rows(row: Expr, hint: Hint | None) -> None:
        score(shape, (tile.query, tile.keys), (tile.weights, row), hint)

    def accumulate_rows(row: Expr, hint: Hint | None) -> None:
        accumulate(shape, (tile.weights, tile.values, count), (tile.segment, tile.shrink, row), hint)

    each_register_tile(shape, tile, lambda row: only_first(row, keys, partial(score_rows, row)))
    each_row(tile, lambda row: _weigh(shape, tile, row, (first, inputs.window)))
    each_register_tile(shape, tile, lambda row: only_first(row, values, partial(accumulate_rows, row)))


def _merge_pieces(shape: AttentionShape, inputs: Inputs, tile: Tile) -> None:
    """Merge the segments of a tile that was cut, in the order of the keys; the first piece's task does it."""
    with T.If(tile.first_key == 0), T.Then():
        skipped = T.bind(_oldest_key(shape, inputs, inputs.positions[tile.first]) // SEGMENT_KEYS)
        last = T.bind(inputs.positions[tile.first + tile.num_rows // shape.group - 1])
        with T.serial(0, tile.num_rows) as row:
            whole = (tile.whole, [row])
            clear_state(shape, whole)
            with T.serial(0, last // SEGMENT_KEYS + 1 - skipped) as index:
                place = T.bind(tile.partial + (index + skipped) * tile.num_rows + row)
                merge_state(shape, whole, (inputs.partials, [tile.head, place]))
            _write_row(shape, inputs, tile, row)


def _oldest_key(shape: AttentionShape, inputs: Inputs, position: Expr) -> Expr:
    """The first key that any row of a tile sees, whose first row is at a position: its window reaches furthest back."""
    if inputs.window is None:
        return T.int32(0)
    oldest = T.Cast("int64", position) - inputs.window + 1
    return T.bind(T.Cast("int32", T.max(oldest, T.int64(0))))


def _row_place(shape: AttentionShape, tile: Tile, row: Expr) -> tuple[Expr, Expr]:
    """Token and first column of a row in q and out."""
    column = (tile.head * shape.group + row % shape.group) * shape.head_size
    return T.bind(tile.first + row // shape.group), T.bind(column)


def _start_row(shape: AttentionShape, inputs: Inputs, tile: Tile, row: Expr) -> None:
    token, column = _row_place(shape, tile, row)
    T.buffer_store(tile.position, inputs.positions[token], [row])
    clear_state(shape, (tile.whole, [row]))
    for start in range(0, shape.head_size, shape.lanes):
        store(tile.query, load(inputs.q, [token], column + start, shape.lanes), [row], start, shape.lanes)


def _padded_rows(shape: AttentionShape, tile: Tile) -> Expr:
    return (tile.num_rows + shape.register_rows - 1) // shape.register_rows * shape.register_rows


def _clear_padding(shape: AttentionShape, tile: Tile) -> None:
    """Clear the rows that fill up the last register tile: they are computed and dropped, and scratch holds anything."""
    zero = constant(0.0, "float32", shape.lanes)
    with T.serial(tile.num_rows, _padded_rows(shape, tile)) as row:
        store(tile.shrink, zero, [row], 0, shape.lanes)
        for start in range(0, shape.head_size, shape.lanes):
            store(tile.query, zero, [row], start, shape.lanes)


def _clear_segment(shape: AttentionShape, tile: Tile) -> None:
    with T.serial(0, _padded_rows(shape, tile)) as row:
        clear_state(shape, (tile.segment, [row]))


def _widen_block(shape: AttentionShape, inputs: Inputs, tile: Tile, span: tuple[Expr, Expr]) -> None:
    """Copy `span` (first, count) of the keys and values to float32 scratch, in whole pages."""
    first, count = span
    with T.serial(0, (count + PAGE_SIZE - 1) // PAGE_SIZE) as index:
        number = T.bind(first // PAGE_SIZE + index)
        page = T.bind(inputs.page_table[tile.sequence, number])
        place, column = [inputs.layer, page, tile.head], index * PAGE_SIZE
        bias = turn_to_page(shape, inputs.key_bias, (tile.head, number)) if inputs.key_bias else None
        widen_keys(shape, inputs.keys, place, (tile.keys, column), bias)
        widen_values(shape, inputs.values, place, (tile.values, column))


def _weigh(shape: AttentionShape, tile: Tile, row: Expr, block: tuple[Expr, Expr | None]) -> None:
    """Turn a row's scores into exponentials below the running maximum; keys it does not see weigh nothing.

    `block` is the block's first key and the window.
    """
    lanes, starts = shape.lanes, range(0, shape.block_keys, shape.lanes)
    _cap_scores(shape, tile, row)
    visible = _visible_keys(shape, tile.position[row], block)
    masked, zero = constant(MASKED, "float32", lanes), constant(0.0, "float32", lanes)
    scores = [
        T.bind(T.Select(mask, load(tile.weights, [row], start, lanes), masked))
        for start, mask in zip(starts, visible, strict=True)
    ]
    old = T.bind(read_maximum(shape, (tile.segment, [row])))
    new = T.bind(T.max(old, reduce_max(reduce(T.max, scores))))
    shrink = T.bind(exp(splat(old - new, lanes), lanes))
    weights = [
        T.bind(T.Select(mask, exp(score - splat(new, lanes), lanes), zero))
        for score, mask in zip(scores, visible, strict=True)
    ]
    for start, weight in zip(starts, weights, strict=True):
        store(tile.weights, weight, [row], start, lanes)
    store(tile.shrink, shrink, [row], 0, lanes)
    update_weights(shape, (tile.segment, [row]), new, (shrink, reduce(lambda a, b: a + b, weights)))


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
    write_output(shape, (tile.whole, [row]), inputs.out, _row_place(shape, tile, row))
