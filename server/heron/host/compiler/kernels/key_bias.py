"""The bias of the key projection, left out of the cache and added again when keys are read.

Qwen2's key biases reach 200 where the rest of a key is about 1: quantised with it, little is left of what tells one
key from another. Without it 8 bits are as good as 16. A bias b at position p counts as R(p) b, R being RoPE's rotation,
and R(first + i) = R(i) R(first): it is turned once to a page's first position, and from there to each of its tokens by
a table that all pages share.
"""

from dataclasses import dataclass
from typing import Any

from tvm.tirx.script import builder as T

from heron.host.compiler.kernels.pages import PAGE_SIZE, AttentionShape
from heron.host.compiler.kernels.vector import Expr, load, splat, store


@dataclass(frozen=True, slots=True)
class KeyBias:
    """The arguments of a kernel that adds it."""

    bias: Any
    """float32 [(num_heads + 2 * num_kv_heads) * head_size], of queries, keys and values"""
    page_turns: Any
    """float32 [tables, positions / 16, head_size], cosines and then sines at each page's first position"""
    offset_turns: Any
    """float32 [tables, head_size, 16], those of the positions in a page"""
    table: Expr


@dataclass(frozen=True, slots=True)
class TurnedBias:
    """A head's bias at the first position of a page, float32 [head_size]."""

    given: KeyBias
    first: Any

    def at(self, shape: AttentionShape, pair: Expr, start: int) -> tuple[Expr, Expr]:
        """What to add to dimensions `pair` and `pair` + head_size / 2 of the page's tokens from `start` on."""
        half, lanes = shape.head_size // 2, shape.lanes
        cosine, sine = (
            T.bind(load(self.given.offset_turns, [self.given.table, row], start, lanes)) for row in (pair, pair + half)
        )
        low, high = (T.bind(splat(self.first[d], lanes)) for d in (pair, pair + half))
        return low * cosine - high * sine, high * cosine + low * sine


def declare_key_bias(shape: AttentionShape, handles: list[Any], table: Expr) -> KeyBias:
    """Declare the arguments: handles of the bias and of the two tables of turns."""
    tables, pages = T.int64(), T.int64()
    width = (shape.num_heads + 2 * shape.num_kv_heads) * shape.head_size
    return KeyBias(
        T.match_buffer(handles[0], (width,), "float32"),
        T.match_buffer(handles[1], (tables, pages, shape.head_size), "float32"),
        T.match_buffer(handles[2], (tables, shape.head_size, PAGE_SIZE), "float32"),
        table,
    )


def turn_to_page(shape: AttentionShape, given: KeyBias, place: tuple[Expr, Expr]) -> TurnedBias:
    """The bias of a key head, `place[0]`, at the first position of a sequence's page, `place[1]`."""
    (head, page), lanes, half = place, shape.rotation_lanes, shape.head_size // 2
    column = T.bind((head + shape.num_heads) * shape.head_size)
    turned = T.alloc_buffer((shape.head_size,), "float32")
    for start in range(0, half, lanes):
        low, high = (T.bind(load(given.bias, [], column + start + side, lanes)) for side in (0, half))
        cosine, sine = (T.bind(load(given.page_turns, [given.table, page], start + side, lanes)) for side in (0, half))
        store(turned, low * cosine - high * sine, [], start, lanes)
        store(turned, high * cosine + low * sine, [], start + half, lanes)
    return TurnedBias(given, turned)
