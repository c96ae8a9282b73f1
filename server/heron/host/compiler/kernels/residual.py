"""What some families do between a linear and the residual: normalise what is added, or add a bias to it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tvm.script.ir_builder import IRBuilder
from tvm.tirx.script import builder as T

from heron.host.compiler.kernels.vector import Expr, load, reduce_sum, softcap, splat, store


@dataclass(frozen=True, slots=True)
class RowShape:
    """Rows of `width` float32 in vectors of `lanes`; `single_row` fixes their number to 1."""

    width: int
    lanes: int
    single_row: bool


@dataclass(frozen=True, slots=True)
class _Rows:
    inputs: tuple[Any, ...]
    vectors: tuple[Any, ...]
    out: Any


def normalize_and_add(shape: RowShape, epsilon: float) -> Any:
    """PrimFunc `(added, residual, gain, out)`: out = residual + RMSNorm(added) * gain, rows float32 [n, width]."""

    def emit(rows: _Rows, row: Expr) -> None:
        (added, residual), (gain,) = rows.inputs, rows.vectors
        factor = T.bind(_inverse_rms(shape, epsilon, added, row))
        with T.serial(0, shape.width // shape.lanes) as part:
            first = T.bind(part * shape.lanes)
            value = load(added, [row], first, shape.lanes) * splat(factor, shape.lanes)
            total = load(residual, [row], first, shape.lanes) + value * load(gain, [], first, shape.lanes)
            store(rows.out, total, [row], first, shape.lanes)

    return _build("normalize_and_add", shape, (2, 1), emit)


def add_vector(shape: RowShape) -> Any:
    """PrimFunc `(values, vector, out)`: the vector added to each row, float32 [n, width]."""

    def emit(rows: _Rows, row: Expr) -> None:
        with T.serial(0, shape.width // shape.lanes) as part:
            first = T.bind(part * shape.lanes)
            total = load(rows.inputs[0], [row], first, shape.lanes) + load(rows.vectors[0], [], first, shape.lanes)
            store(rows.out, total, [row], first, shape.lanes)

    return _build("add_vector", shape, (1, 1), emit)


def cap_rows(shape: RowShape, cap: float) -> Any:
    """PrimFunc `(values, out)`: cap * tanh(value / cap) of each, float32 [n, width]."""

    def emit(rows: _Rows, row: Expr) -> None:
        with T.serial(0, shape.width // shape.lanes) as part:
            first = T.bind(part * shape.lanes)
            value = softcap(load(rows.inputs[0], [row], first, shape.lanes), cap, shape.lanes)
            store(rows.out, value, [row], first, shape.lanes)

    return _build("cap_rows", shape, (1, 0), emit)


def _build(name: str, shape: RowShape, counts: tuple[int, int], emit: Callable[[_Rows, Expr], None]) -> Any:
    """A PrimFunc of as many matrices and vectors as `counts` says, that runs `emit` for each row."""
    with IRBuilder() as builder, T.prim_func(s_tir=True):
        T.func_name(f"{name}_1" if shape.single_row else name)
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True, "op_pattern": 8})
        handles = [T.arg(f"input_{index}", T.handle()) for index in range(sum(counts) + 1)]
        n = T.int64(1) if shape.single_row else T.int64()
        matrices = [T.match_buffer(handle, (n, shape.width), "float32") for handle in handles[: counts[0]]]
        vectors = [T.match_buffer(handle, (shape.width,), "float32") for handle in handles[counts[0] : -1]]
        out = T.match_buffer(handles[-1], (n, shape.width), "float32")
        with T.sblock("root"):
            T.reads()
            T.writes()
            with (T.serial if shape.single_row else T.parallel)(0, n) as row:
                emit(_Rows(tuple(matrices), tuple(vectors), out), row)
    return builder.get()


def _inverse_rms(shape: RowShape, epsilon: float, values: Any, row: Expr) -> Expr:
    """1 / sqrt(mean of squares + epsilon) of a row."""
    squares = T.alloc_buffer((shape.lanes,), "float32")
    store(squares, splat(T.float32(0), shape.lanes), [], 0, shape.lanes)
    with T.serial(0, shape.width // shape.lanes) as part:
        value = T.bind(load(values, [row], part * shape.lanes, shape.lanes))
        store(squares, load(squares, [], 0, shape.lanes) + value * value, [], 0, shape.lanes)
    mean = reduce_sum(load(squares, [], 0, shape.lanes), "float32") * T.float32(1.0 / shape.width)
    return T.float32(1) / T.sqrt(mean + T.float32(epsilon))
