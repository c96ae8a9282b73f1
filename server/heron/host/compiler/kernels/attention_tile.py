"""What one task of the attention kernel works on: its arguments, its share of them, and its scratch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tvm.tirx.script import builder as T

from heron.host.compiler.kernels.cache import declare_pool
from heron.host.compiler.kernels.key_bias import KeyBias, declare_key_bias
from heron.host.compiler.kernels.pages import AttentionShape
from heron.host.compiler.kernels.tiles import TILE_WORDS
from heron.host.compiler.kernels.vector import Expr


@dataclass(frozen=True, slots=True)
class Inputs:
    """The buffers of the kernel, as `attention` describes them."""

    q: Any
    keys: Any
    values: Any
    positions: Any
    tiles: Any
    page_table: Any
    layer: Expr
    window: Expr | None
    """how many tokens, its own included, a query sees; None: all before it"""
    partials: Any
    """[kv heads, rows, state_width], what rows have seen of a segment, where a tile is cut"""
    key_bias: KeyBias | None
    """for a shape that restores it"""
    out: Any


@dataclass(frozen=True, slots=True)
class Tile:
    """One task: which rows and keys, and its scratch. A row is a token and a head of the group, tokens first."""

    head: Expr
    first: Expr
    sequence: Expr
    first_key: Expr
    num_keys: Expr
    """up to which key it reads"""
    num_rows: Expr
    partial: Expr
    """row of `partials` where those of the first segment of all begin; -1: the tile is whole"""
    position: Any
    """[rows]"""
    query: Any
    """[rows, head_size]"""
    keys: Any
    """[head_size, block_keys]"""
    values: Any
    """[block_keys, head_size]"""
    weights: Any
    """[rows, block_keys], scores and then their exponentials"""
    segment: Any
    """[rows, state_width], what the rows have seen of a segment so far; see `attention_state`"""
    whole: Any
    """[rows, state_width], and of the segments before it"""
    shrink: Any
    """[rows, lanes], what earlier sums are multiplied by because the maximum rose"""


def declare_inputs(shape: AttentionShape, num_tokens: int | None) -> Inputs:
    """Declare the kernel's arguments; `num_tokens` fixes n."""
    names = ("q", "keys", "values", "positions", "tiles", "page_table", "partials")
    handles = {name: T.arg(f"{name}_handle", T.handle()) for name in names}
    biases = ("bias", "page_turns", "offset_turns") if shape.restores_bias else ()
    bias_handles = [T.arg(f"{name}_handle", T.handle()) for name in biases]
    layer = T.arg("layer", T.int64())
    table = T.arg("table", T.int64()) if shape.restores_bias else None
    window = T.arg("window", T.int64()) if shape.has_windows else None
    out_handle = T.arg("out_handle", T.handle())
    n = T.int64() if num_tokens is None else num_tokens
    t, b, w, p = (T.int64() for _ in range(4))
    width = shape.num_heads * shape.head_size
    return Inputs(
        q=T.match_buffer(handles["q"], (n, width), "float32"),
        keys=declare_pool(shape, handles["keys"]),
        values=declare_pool(shape, handles["values"]),
        positions=T.match_buffer(handles["positions"], (n,), "int32"),
        tiles=T.match_buffer(handles["tiles"], (t, TILE_WORDS), "int32"),
        page_table=T.match_buffer(handles["page_table"], (b, w), "int32"),
        layer=layer,
        window=window,
        partials=T.match_buffer(handles["partials"], (shape.num_kv_heads, p, shape.state_width), "float32"),
        key_bias=None if table is None else declare_key_bias(shape, bias_handles, table),
        out=T.match_buffer(out_handle, (n, width), "float32"),
    )


def declare_tile(shape: AttentionShape, inputs: Inputs, task: Expr) -> Tile:
    """Read which tile and head a task is, and allocate its scratch."""
    index = T.bind(task // shape.num_kv_heads)
    rows, size, keys, lanes = shape.rows, shape.head_size, shape.block_keys, shape.lanes
    return Tile(
        head=T.bind(task % shape.num_kv_heads),
        first=T.bind(inputs.tiles[index, 0]),
        sequence=T.bind(inputs.tiles[index, 2]),
        first_key=T.bind(inputs.tiles[index, 4]),
        num_keys=T.bind(inputs.tiles[index, 3]),
        num_rows=T.bind(inputs.tiles[index, 1] * shape.group),
        partial=T.bind(inputs.tiles[index, 5]),
        position=T.alloc_buffer((rows,), "int32"),
        query=T.alloc_buffer((rows, size), "float32"),
        keys=T.alloc_buffer((size, keys), "float32"),
        values=T.alloc_buffer((keys, size), "float32"),
        weights=T.alloc_buffer((rows, keys), "float32"),
        segment=T.alloc_buffer((rows, shape.state_width), "float32"),
        whole=T.alloc_buffer((rows, shape.state_width), "float32"),
        shrink=T.alloc_buffer((rows, lanes), "float32"),
    )


def each_row(tile: Tile, emit: Callable[[Expr], None]) -> None:
    """Loop over the tile's rows."""
    with T.serial(0, tile.num_rows) as row:
        emit(row)


def each_register_tile(shape: AttentionShape, tile: Tile, emit: Callable[[Expr], None]) -> None:
    """Loop over the first rows of the tile's register tiles; the last may reach into the padding."""
    with T.serial(0, (tile.num_rows + shape.register_rows - 1) // shape.register_rows) as index:
        emit(T.bind(index * shape.register_rows))
