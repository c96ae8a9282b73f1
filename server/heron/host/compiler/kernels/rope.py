"""Rotary position embedding (Su et al. 2021) of queries and keys, and the append of keys and values to the paged cache.

The rotation pairs dimension i with i + head_size / 2. Models whose files pair neighbours (GGUF's `llama`) have their
query and key rows put back into this order when they are packed (`layer_tensors.reorder_heads`). Families that
normalise queries and keys head by head (Qwen3, Gemma 3) have it done here, before the rotation.
"""

from dataclasses import dataclass
from typing import Any

from tvm.script.ir_builder import IRBuilder
from tvm.tirx.script import builder as T

from heron.host.compiler.kernels.cache import append_key, append_value, declare_pool
from heron.host.compiler.kernels.pages import PAGE_SIZE, AttentionShape
from heron.host.compiler.kernels.vector import Expr, constant, load, reduce_sum, splat, store


def rotate_and_append(shape: AttentionShape, num_tokens: int | None = None) -> Any:
    """PrimFunc `(qkv, rotation, slots, keys, values, [query_gain, key_gain], [bias], layer, table, q)`.

    qkv float32 [n, (num_heads + 2 * num_kv_heads) * head_size]; rotation float32 [tables, n, head_size] from
    `rotation.rotation_tables`, of which `table` is used; slots int32 [n]; keys and values are the cache's pools,
    written in place at the slots; the gains, for a shape that normalises, float32 [head_size]; bias float32, as wide as
    qkv, for a shape whose keys are cached without it; q float32 [n, num_heads * head_size], rotated and scaled for
    `attention`.
    """
    with IRBuilder() as builder, T.prim_func(s_tir=True):
        T.func_name("rotate_and_append" if num_tokens is None else f"rotate_and_append_{num_tokens}")
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True, "op_pattern": 8})
        tensors = _declare_tensors(shape, num_tokens)
        with T.sblock("root"):
            T.reads()
            T.writes()
            loop = T.parallel if num_tokens is None else T.serial
            with loop(0, tensors.q.shape[0]) as token:
                _rotate_queries(shape, tensors, token)
                _append(shape, tensors, token)
    return builder.get()


@dataclass(frozen=True, slots=True)
class _Tensors:
    qkv: Any
    rotation: Any
    slots: Any
    keys: Any
    values: Any
    gains: tuple[Any, ...]
    """of queries and keys; none for a shape that does not normalise"""
    bias: Any | None
    """what `qkv` has of its projection's bias, to be taken off keys"""
    layer: Expr
    table: Expr
    q: Any


@dataclass(frozen=True, slots=True)
class _Head:
    """A query or key head of one token: where it begins in `qkv`, the gain it is normalised with, what to take off."""

    token: Expr
    column: Expr
    gain: Any | None
    bias: Any | None = None


def _declare_tensors(shape: AttentionShape, num_tokens: int | None) -> _Tensors:
    handles = {name: T.arg(f"{name}_handle", T.handle()) for name in ("qkv", "rotation", "slots", "keys", "values")}
    gain_handles = [T.arg(f"{name}_gain_handle", T.handle()) for name in ("query", "key") if shape.norm_epsilon]
    bias_handle = T.arg("bias_handle", T.handle()) if shape.restores_bias else None
    layer, table = T.arg("layer", T.int64()), T.arg("table", T.int64())
    q_handle = T.arg("q_handle", T.handle())
    n = T.int64() if num_tokens is None else num_tokens
    tables = T.int64()
    heads, kv, size = shape.num_heads, shape.num_kv_heads, shape.head_size
    match = T.match_buffer
    return _Tensors(
        qkv=match(handles["qkv"], (n, (heads + 2 * kv) * size), "float32"),
        rotation=match(handles["rotation"], (tables, n, size), "float32"),
        slots=match(handles["slots"], (n,), "int32"),
        keys=declare_pool(shape, handles["keys"]),
        values=declare_pool(shape, handles["values"]),
        gains=tuple(match(handle, (size,), "float32") for handle in gain_handles),
        bias=None if bias_handle is None else match(bias_handle, ((heads + 2 * kv) * size,), "float32"),
        layer=layer,
        table=table,
        q=match(q_handle, (n, heads * size), "float32"),
    )


def _rotate(shape: AttentionShape, tensors: _Tensors, head: _Head) -> list[tuple[int, Expr]]:
    """Vectors of a head, normalised and rotated, each with the dimension it starts at."""
    lanes, half, token = shape.rotation_lanes, shape.head_size // 2, head.token
    factor = None if head.gain is None else T.bind(_inverse_rms(shape, tensors, head))

    def read(start: int) -> Expr:
        value = load(tensors.qkv, [token], head.column + start, lanes)
        if head.bias is not None:
            value = value - load(head.bias, [], head.column + start, lanes)
        return value if factor is None else value * splat(factor, lanes) * load(head.gain, [], start, lanes)

    rotated = []
    for start in range(0, half, lanes):
        low, high = T.bind(read(start)), T.bind(read(start + half))
        cosine = T.bind(load(tensors.rotation, [tensors.table, token], start, lanes))
        sine = T.bind(load(tensors.rotation, [tensors.table, token], start + half, lanes))
        rotated += [(start, low * cosine - high * sine), (start + half, high * cosine + low * sine)]
    return rotated


def _inverse_rms(shape: AttentionShape, tensors: _Tensors, head: _Head) -> Expr:
    """1 / sqrt(mean of squares + epsilon) of a head."""
    lanes, total = shape.rotation_lanes, None
    for start in range(0, shape.head_size, lanes):
        value = T.bind(load(tensors.qkv, [head.token], head.column + start, lanes))
        total = value * value if total is None else total + value * value
    mean = reduce_sum(T.bind(total), "float32") * T.float32(1.0 / shape.head_size)
    return T.float32(1) / T.sqrt(mean + T.float32(shape.norm_epsilon))


def _rotate_queries(shape: AttentionShape, tensors: _Tensors, token: Expr) -> None:
    lanes, gain = shape.rotation_lanes, tensors.gains[0] if tensors.gains else None
    scale = constant(shape.scale, "float32", lanes)
    with T.serial(0, shape.num_heads) as head:
        column = T.bind(head * shape.head_size)
        for start, vector in _rotate(shape, tensors, _Head(token, column, gain)):
            store(tensors.q, vector * scale, [token], column + start, lanes)


def _append(shape: AttentionShape, tensors: _Tensors, token: Expr) -> None:
    """Write the token's keys, rotated, and its values to its slot, each by way of a small buffer."""
    slot, gain = T.bind(tensors.slots[token]), tensors.gains[1] if tensors.gains else None
    key, value = (T.alloc_buffer((shape.head_size,), "float32") for _ in range(2))
    with T.serial(0, shape.num_kv_heads) as head:
        place = [tensors.layer, slot // PAGE_SIZE, head], T.bind(slot % PAGE_SIZE)
        column = T.bind((head + shape.num_heads) * shape.head_size)
        for start, vector in _rotate(shape, tensors, _Head(token, column, gain, tensors.bias)):
            store(key, vector, [], start, shape.rotation_lanes)
        append_key(shape, tensors.keys, place, key)
        column = T.bind(column + shape.num_kv_heads * shape.head_size)
        for start in range(0, shape.head_size, shape.lanes):
            store(value, load(tensors.qkv, [token], column + start, shape.lanes), [], start, shape.lanes)
        append_value(shape, tensors.values, place, value)
