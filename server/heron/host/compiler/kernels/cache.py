"""Keys and values in the pages of the cache: written by token, read a page at a time. The layout is that of `pages`."""

from typing import Any

from tvm.tirx.script import builder as T

from heron.host.compiler.kernels.pages import PAGE_SIZE, AttentionShape
from heron.host.compiler.kernels.vector import Expr, load, store, to_type

Place = list[Expr]
"""Layer, page and head."""


def declare_pool(shape: AttentionShape, handle: Any) -> Any:
    """The buffer of all pages of keys, or of values: [layers, pages, kv heads, page_items] in the cache's dtype."""
    layers, pages = T.int64(), T.int64()
    return T.match_buffer(handle, (layers, pages, shape.num_kv_heads, shape.page_items), shape.cache_dtype)


def append_key(shape: AttentionShape, pool: Any, place: tuple[Place, Expr], key: Any) -> None:
    """Write a key, float32 [head_size], as token `place[1]` of a page: its dimensions lie PAGE_SIZE apart."""
    page, offset = place
    with T.serial(0, shape.head_size) as d:
        T.buffer_store(pool, T.Cast(shape.cache_dtype, key[d]), [*page, d * PAGE_SIZE + offset])


def append_value(shape: AttentionShape, pool: Any, place: tuple[Place, Expr], value: Any) -> None:
    """Write a value, float32 [head_size], as token `place[1]` of a page."""
    page, offset = place
    for start in range(0, shape.head_size, shape.lanes):
        vector = to_type(load(value, [], start, shape.lanes), shape.cache_dtype, shape.lanes)
        store(pool, vector, page, offset * shape.head_size + start, shape.lanes)


def widen_keys(shape: AttentionShape, pool: Any, page: Place, target: tuple[Any, Expr]) -> None:
    """Copy a page's keys to float32 scratch [head_size, keys], from column `target[1]` on."""
    scratch, column = target
    with T.serial(0, shape.head_size) as d:
        for start in range(0, PAGE_SIZE, shape.lanes):
            numbers = load(pool, page, d * PAGE_SIZE + start, shape.lanes)
            store(scratch, to_type(numbers, "float32", shape.lanes), [d], column + start, shape.lanes)


def widen_values(shape: AttentionShape, pool: Any, page: Place, target: tuple[Any, Expr]) -> None:
    """Copy a page's values to float32 scratch [keys, head_size], from row `target[1]` on."""
    scratch, row = target
    with T.serial(0, PAGE_SIZE) as offset:
        for start in range(0, shape.head_size, shape.lanes):
            numbers = load(pool, page, offset * shape.head_size + start, shape.lanes)
            store(scratch, to_type(numbers, "float32", shape.lanes), [row + offset], start, shape.lanes)
