"""Keys and values in the pages of the cache: written by token, read a page at a time. The layout is that of `pages`."""

from typing import Any

from tvm.tirx.script import builder as T

from heron.host.compiler.kernels.cache_codes import quantize, read_scales, store_scale, widen_codes
from heron.host.compiler.kernels.key_bias import TurnedBias
from heron.host.compiler.kernels.pages import PAGE_SIZE, SCALED_DIMENSIONS, AttentionShape
from heron.host.compiler.kernels.vector import Expr, load, splat, store, to_type

Place = list[Expr]
"""Layer, page and head."""


def declare_pool(shape: AttentionShape, handle: Any) -> Any:
    """The buffer of all pages of keys, or of values: [layers, pages, kv heads, page_items] in the cache's dtype."""
    layers, pages = T.int64(), T.int64()
    return T.match_buffer(handle, (layers, pages, shape.num_kv_heads, shape.page_items), shape.cache_dtype)


def append_key(shape: AttentionShape, pool: Any, place: tuple[Place, Expr], key: Any) -> None:
    """Write a key, float32 [head_size], as token `place[1]` of a page: its dimensions lie PAGE_SIZE apart."""
    (page, offset), numbers = place, key
    if shape.is_scaled:
        numbers, scales = quantize(shape, key)
        for group, scale in enumerate(scales):
            store_scale(shape, pool, (page, offset + group * PAGE_SIZE), scale)
    with T.serial(0, shape.head_size) as d:
        T.buffer_store(pool, T.Cast(shape.cache_dtype, numbers[d]), [*page, d * PAGE_SIZE + offset])


def append_value(shape: AttentionShape, pool: Any, place: tuple[Place, Expr], value: Any) -> None:
    """Write a value, float32 [head_size], as token `place[1]` of a page."""
    (page, offset), numbers = place, value
    if shape.is_scaled:
        numbers, scales = quantize(shape, value)
        for group, scale in enumerate(scales):
            store_scale(shape, pool, (page, offset * shape.scale_groups + group), scale)
    for start in range(0, shape.head_size, shape.lanes):
        vector = to_type(load(numbers, [], start, shape.lanes), shape.cache_dtype, shape.lanes)
        store(pool, vector, page, offset * shape.head_size + start, shape.lanes)


def widen_keys(
    shape: AttentionShape, pool: Any, page: Place, target: tuple[Any, Expr], bias: TurnedBias | None
) -> None:
    """Copy a page's keys to float32 scratch [head_size, keys], from column `target[1]` on, and add the bias."""
    (scratch, column), half = target, shape.head_size // 2
    scales = read_scales(shape, pool, page) if shape.is_scaled else None
    with T.serial(0, half) as pair:
        for start in range(0, PAGE_SIZE, shape.lanes):
            added = bias.at(shape, pair, start) if bias else (None, None)
            for d, turned in zip((pair, pair + half), added, strict=True):
                key = load(pool, page, d * PAGE_SIZE + start, shape.lanes)
                if scales is None:
                    key = to_type(key, "float32", shape.lanes)
                else:
                    place = d // SCALED_DIMENSIONS * PAGE_SIZE + start
                    key = widen_codes(shape, key) * load(scales, [], place, shape.lanes)
                store(scratch, key if turned is None else key + turned, [d], column + start, shape.lanes)


def widen_values(shape: AttentionShape, pool: Any, page: Place, target: tuple[Any, Expr]) -> None:
    """Copy a page's values to float32 scratch [keys, head_size], from row `target[1]` on."""
    scratch, row = target
    scales = read_scales(shape, pool, page) if shape.is_scaled else None
    with T.serial(0, PAGE_SIZE) as offset:
        for start in range(0, shape.head_size, shape.lanes):
            value = load(pool, page, offset * shape.head_size + start, shape.lanes)
            if scales is None:
                value = to_type(value, "float32", shape.lanes)
            else:
                group = offset * shape.scale_groups + start // SCALED_DIMENSIONS
                value = widen_codes(shape, value) * splat(scales[group], shape.lanes)
            store(scratch, value, [row + offset], start, shape.lanes)
