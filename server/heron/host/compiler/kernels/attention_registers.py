"""The two inner products of attention on register tiles: queries by keys, and weights by values.

A register tile is `register_rows` query rows by `register_vectors` vectors. Each sum is one chain of fused
multiply-adds in a fixed order, so that a row's result does not depend on its neighbours.
"""

from typing import Any

from tvm.tirx.script import builder as T

from heron.host.compiler.kernels.attention_ahead import Hint
from heron.host.compiler.kernels.pages import AttentionShape
from heron.host.compiler.kernels.vector import Expr, constant, load, splat, store


def score(shape: AttentionShape, operands: tuple[Any, Any], target: tuple[Any, Expr], hint: Hint | None) -> None:
    """Write the scores of `register_rows` queries, from row `target[1]` on, against all keys of the block.

    operands: query [rows, head_size] and keys [head_size, block_keys]; target[0] [rows, block_keys]; all float32.
    """
    (query, keys), (scores, row) = operands, target
    width = min(shape.register_vectors * shape.lanes, shape.block_keys)
    parts = shape.block_keys // width
    with T.serial(0, parts) as part:
        left = T.bind(part * width)
        sums = _declare_sums(shape, width)
        for total in sums:
            for start in range(0, width, shape.lanes):
                store(total, constant(0.0, "float32", shape.lanes), [], start, shape.lanes)
        with T.serial(0, shape.head_size) as d:
            if hint:
                hint(part * shape.head_size + d, parts * shape.head_size)
            vectors = _load_row(shape, keys, d, (left, width))
            for index, total in enumerate(sums):
                _add_scaled(shape, total, query[row + index, d], vectors)
        _store_sums(shape, sums, scores, (row, left))


def accumulate(
    shape: AttentionShape, operands: tuple[Any, Any, Expr], target: tuple[Any, Any, Expr], hint: Hint | None
) -> None:
    """Multiply the sums of `register_rows` queries, from row `target[2]` on, by shrink and add values by weight.

    operands: weights [rows, block_keys], values [block_keys, head_size] and how many of them count (the rest is not
    read: it may be anything); target: sums [rows, head_size or more], shrink [rows, lanes] and the row. All float32.
    """
    (weights, values, count), (sums_buffer, shrink, row) = operands, target
    width = shape.value_vectors * shape.lanes
    parts = shape.head_size // width
    with T.serial(0, parts) as part:
        left = T.bind(part * width)
        sums = _declare_sums(shape, width)
        for index, total in enumerate(sums):
            factor = T.bind(load(shrink, [row + index], 0, shape.lanes))
            for start in range(0, width, shape.lanes):
                value = load(sums_buffer, [row + index], left + start, shape.lanes) * factor
                store(total, value, [], start, shape.lanes)
        with T.serial(0, count) as key:
            if hint:
                hint(part * shape.block_keys + key, parts * shape.block_keys)
            vectors = _load_row(shape, values, key, (left, width))
            for index, total in enumerate(sums):
                _add_scaled(shape, total, weights[row + index, key], vectors)
        _store_sums(shape, sums, sums_buffer, (row, left))


def _declare_sums(shape: AttentionShape, width: int) -> list[Any]:
    """Accumulators that LLVM keeps in registers: small, and every index into them is constant."""
    return [T.alloc_buffer((width,), "float32") for _ in range(shape.register_rows)]


def _load_row(shape: AttentionShape, matrix: Any, row: Expr, columns: tuple[Expr, int]) -> list[Expr]:
    left, width = columns
    return [T.bind(load(matrix, [row], left + start, shape.lanes)) for start in range(0, width, shape.lanes)]


def _add_scaled(shape: AttentionShape, total: Any, scale: Expr, vectors: list[Expr]) -> None:
    factor = T.bind(splat(scale, shape.lanes))
    for index, vector in enumerate(vectors):
        start = index * shape.lanes
        store(total, load(total, [], start, shape.lanes) + factor * vector, [], start, shape.lanes)


def _store_sums(shape: AttentionShape, sums: list[Any], target: Any, place: tuple[Expr, Expr]) -> None:
    row, left = place
    for index, total in enumerate(sums):
        for start in range(0, total.shape[0].value, shape.lanes):
            store(target, load(total, [], start, shape.lanes), [row + index], left + start, shape.lanes)
