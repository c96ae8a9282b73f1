"""What a query row has seen of some keys, and how two such states become one (Dao 2023, FlashDecoding).

A state is a row of float32: values by weight [head_size], weights [lanes] (to be added up over the lanes), and the
greatest score [lanes], the same in all.
"""

from typing import Any

from tvm.tirx.script import builder as T

from heron.host.compiler.kernels.pages import AttentionShape
from heron.host.compiler.kernels.vector import Expr, constant, exp, load, reduce_sum, splat, store

MASKED = -1e30
"""The score of a key that a row does not see."""

State = tuple[Any, list[Expr]]
"""A buffer, and the indices of a row of it."""


def clear_state(shape: AttentionShape, state: State) -> None:
    """Make it the state of a row that has seen nothing."""
    buffer, row = state
    for start in range(0, shape.head_size + shape.lanes, shape.lanes):
        store(buffer, constant(0.0, "float32", shape.lanes), row, start, shape.lanes)
    store(buffer, constant(MASKED, "float32", shape.lanes), row, shape.head_size + shape.lanes, shape.lanes)


def copy_state(shape: AttentionShape, source: State, target: State) -> None:
    """Copy a state."""
    for start in range(0, shape.state_width, shape.lanes):
        store(target[0], load(source[0], source[1], start, shape.lanes), target[1], start, shape.lanes)


def read_maximum(shape: AttentionShape, state: State) -> Expr:
    """The greatest score so far."""
    buffer, row = state
    return buffer[(*row, shape.head_size + shape.lanes)]


def update_weights(shape: AttentionShape, state: State, maximum: Expr, change: tuple[Expr, Expr]) -> None:
    """Take in a new maximum; `change`: what earlier weights are multiplied by, and the new weights, by lane."""
    (buffer, row), lanes, (shrink, added) = state, shape.lanes, change
    store(buffer, load(buffer, row, shape.head_size, lanes) * shrink + added, row, shape.head_size, lanes)
    store(buffer, splat(maximum, lanes), row, shape.head_size + lanes, lanes)


def merge_state(shape: AttentionShape, into: State, other: State) -> None:
    """Add what a row has seen of later keys."""
    lanes, maximum_at = shape.lanes, shape.head_size + shape.lanes
    maxima = [T.bind(load(buffer, row, maximum_at, lanes)) for buffer, row in (into, other)]
    maximum = T.bind(T.max(*maxima))
    old, new = (T.bind(exp(each - maximum, lanes)) for each in maxima)
    for start in range(0, maximum_at, lanes):
        total = load(into[0], into[1], start, lanes) * old + load(other[0], other[1], start, lanes) * new
        store(into[0], total, into[1], start, lanes)
    store(into[0], maximum, into[1], maximum_at, lanes)


def write_output(shape: AttentionShape, state: State, out: Any, place: tuple[Expr, Expr]) -> None:
    """Write what attention gives a row that has seen all its keys: the mean of the values by weight."""
    (buffer, row), (token, column) = state, place
    total = reduce_sum(load(buffer, row, shape.head_size, shape.lanes), "float32")
    scale = T.bind(splat(T.float32(1) / total, shape.lanes))
    for start in range(0, shape.head_size, shape.lanes):
        store(out, load(buffer, row, start, shape.lanes) * scale, [token], column + start, shape.lanes)
