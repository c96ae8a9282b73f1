"""Quantising one block of values: int8 codes, their scale, and their sums, as `quantized_rows` lays them out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tvm.tirx.script import builder as T

from heron.host.compiler.kernels.isa import InstructionSet
from heron.host.compiler.kernels.quantized_rows import PART_K, RowLayout
from heron.host.compiler.kernels.vector import (
    Expr,
    as_type,
    constant,
    load,
    reduce_max,
    reduce_sum,
    round_to_int,
    splat,
    store,
    to_type,
)


@dataclass(frozen=True, slots=True)
class Target:
    """Where codes go: int32 [M, words], the scratch for a block's values, and what scales are multiplied by."""

    isa: InstructionSet
    layout: RowLayout
    words: Any
    values: Any
    """float32 [block_k]"""
    peaks: Any
    """float32 [lanes]"""
    factor: float


def declare_scratch(isa: InstructionSet, layout: RowLayout) -> tuple[Any, Any]:
    """The scratch of a target: values and peaks."""
    return tuple(T.alloc_buffer((size,), "float32", scope="global") for size in (layout.block_k, isa.lanes))


def emit_block(target: Target, place: tuple[Expr, Expr], read: Callable[[Expr], Expr]) -> None:
    """Quantise a block: `place` is its row and its index along K; `read` gives a vector of values by its first k."""
    (row, block), layout = place, target.layout
    first_word = T.Bind(block * layout.block_words)
    peak = T.Bind(_read_values(target, block * layout.block_k, read))
    # A peak too small for its inverse to be finite counts as zero.
    inverse = T.Bind(T.Select(peak > T.float32(1e-36), T.float32(127) / peak, T.float32(0)))
    scale = T.reinterpret("int32", peak * T.float32(target.factor / 127))
    T.buffer_store(target.words, scale, [row, first_word + layout.scale_word])
    with T.serial(0, layout.num_parts) as part:
        codes = _write_codes(target, (row, first_word), part, inverse)
        _write_sums(target, (row, first_word + layout.sums_word + part * layout.sum_words), codes)


def _read_values(target: Target, first: Expr, read: Callable[[Expr], Expr]) -> Expr:
    """Keep a block's values in the scratch; their greatest magnitude."""
    lanes = target.isa.lanes
    store(target.peaks, constant(0.0, "float32", lanes), [], 0, lanes)
    with T.serial(0, target.layout.num_parts) as part:
        for start in range(0, PART_K, lanes):
            value = T.Bind(read(first + part * PART_K + start))
            store(target.values, value, [], part * PART_K + start, lanes)
            store(target.peaks, T.max(load(target.peaks, [], 0, lanes), T.fabs(value)), [], 0, lanes)
    return reduce_max(load(target.peaks, [], 0, lanes))


def _write_codes(target: Target, place: tuple[Expr, Expr], part: Expr, inverse: Expr) -> list[Expr]:
    """Write the codes of 32 values and return them as int32 vectors."""
    (row, first_word), lanes, codes = place, target.isa.lanes, []
    for start in range(0, PART_K, lanes):
        value = load(target.values, [], part * PART_K + start, lanes)
        code = T.Bind(round_to_int(value * splat(inverse, lanes), lanes))
        column = first_word + part * (PART_K // 4) + start // 4
        narrow = to_type(code, "int8", lanes)
        if lanes == 4:
            T.buffer_store(target.words, T.reinterpret("int32", narrow), [row, column])
        else:
            store(target.words, as_type(narrow, "int32", lanes // 4), [row], column, lanes // 4)
        codes.append(code)
    return codes


def _write_sums(target: Target, place: tuple[Expr, Expr], codes: list[Expr]) -> None:
    """Write the four words of sums that belong to a part."""
    (row, column), half = place, len(codes) // 2
    first, second = (T.Bind(reduce_sum(_add_up(part), "int32")) for part in (codes[:half], codes[half:]))
    total = T.Bind(first + second)
    words = (T.reinterpret("int32", T.Cast("float32", total)), -total, -first, -second)
    for index, word in enumerate(words):
        T.buffer_store(target.words, word, [row, column + index])


def _add_up(values: list[Expr]) -> Expr:
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total
