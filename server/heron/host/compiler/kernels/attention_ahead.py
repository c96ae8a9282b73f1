"""Hints to bring the next block of keys and values near while this one is computed.

In decoding every key is read once a step, and its pages lie scattered: without hints nothing is under way while the
products are formed, and a thread reads 8 GB/s of the memory's 40.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from tvm.tirx.script import builder as T

from heron.host.compiler.kernels.attention_tile import Inputs, Tile
from heron.host.compiler.kernels.pages import PAGE_SIZE, AttentionShape
from heron.host.compiler.kernels.vector import Expr, prefetch

Hint = Callable[[Expr, int], None]
"""Given which turn of a loop it is, and how many there are, emit hints for the turn's share."""

_LINE_BYTES = 64


@dataclass(frozen=True, slots=True)
class Ahead:
    """The pages of the next block: int32 [pages of a block]."""

    shape: AttentionShape
    inputs: Inputs
    tile: Tile
    pages: Any

    def hint(self, pool: Any) -> Hint:
        """Hints for the keys, or the values, that `pool` has of these pages."""
        lines = -(-self.shape.page_bytes // _LINE_BYTES)
        items = _LINE_BYTES // np.dtype(self.shape.cache_dtype).itemsize
        total = lines * _block_pages(self.shape)

        def emit(turn: Expr, turns: int) -> None:
            share = -(-total // turns)
            for index in range(share):
                line = T.bind(T.min(T.Cast("int32", turn) * share + index, total - 1))
                page = self.pages[line // lines]
                prefetch(pool, [self.inputs.layer, page, self.tile.head, line % lines * items])

        return emit


def look_ahead(shape: AttentionShape, inputs: Inputs, tile: Tile, first: Expr) -> Ahead:
    """Read which pages hold the block that begins at key `first`; beyond the tile's last key, those of that key."""
    pages = T.alloc_buffer((_block_pages(shape),), "int32")
    last = T.bind((tile.num_keys - 1) // PAGE_SIZE)
    for index in range(_block_pages(shape)):
        place = T.min(first // PAGE_SIZE + index, last)
        T.buffer_store(pages, inputs.page_table[tile.sequence, place], [index])
    return Ahead(shape, inputs, tile, pages)


def only_first(row: Expr, hint: Hint, emit: Callable[[Hint | None], None]) -> None:
    """Emit with the hint for the first of a tile's rows and without for the others: once is enough."""
    with T.If(row == 0):
        with T.Then():
            emit(hint)
        with T.Else():
            emit(None)


def _block_pages(shape: AttentionShape) -> int:
    return shape.block_keys // PAGE_SIZE
