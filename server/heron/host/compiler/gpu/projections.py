"""The two linears of a layer that follow a norm, for few tokens, with all that stands around them in one kernel.

Each block normalizes and quantises the tokens for itself; a warp takes rows in the pairs that belong together: the
halves of a rotation, or a gate and what it lets through.
"""

import math
from dataclasses import dataclass
from typing import Any

from tvm.tirx.script import builder as T

from heron.host.compiler.gpu.activation import declare_quantised, quantize_group
from heron.host.compiler.gpu.attention import Append, declare_pools
from heron.host.compiler.gpu.emit import (
    WARP,
    Expr,
    argument,
    await_producers,
    build_kernel,
    launch,
    put,
    shared,
    synchronize,
    when,
)
from heron.host.compiler.gpu.normalize import Normalizer
from heron.host.compiler.gpu.row_products import RowProducts, Share, fetched_words
from heron.host.compiler.gpu.shapes import MAX_TOKENS, PLACES_SIZE, POSITIONS, SLOTS, DecoderShape, LinearShape
from heron.host.compiler.gpu.weights import Weights, declare_weights

_QKV_WARPS = 8
_GATE_UP_WARPS = 16
_GROUP = 32  # activations that share a scale: what a block of `gate_up` makes


def project_qkv(shape: DecoderShape, linear: LinearShape, tokens: int) -> Any:
    """PrimFunc `(layer, places, x, gain, weights…, [bias,] rotation, keys, values, q)`.

    As norm, linear and `attention.rotate_and_append` in one: queries go to q, keys and values into their pages.
    """
    half = shape.head_size // 2

    def emit() -> None:
        layer = T.arg("layer", T.int32())
        places = argument("places", (PLACES_SIZE,), "int32")
        normalizer = Normalizer(shape.hidden, shape.epsilon)
        weights = declare_weights(linear.format, linear.rows, linear.inner)
        bias = argument("bias", (linear.rows,), "float32") if linear.epilogue == "bias" else None
        rotation = argument("rotation", (T.int32(), shape.head_size), "float32")
        keys, values = declare_pools(shape)
        q = argument("q", (MAX_TOKENS, shape.attended), "float32")
        with launch([linear.rows // 2 // _QKV_WARPS], _QKV_WARPS * WARP, awaits=False) as (block, thread):
            pair = T.Bind(block * _QKV_WARPS + thread // WARP)
            head, d = T.Bind(pair // half), T.Bind(pair % half)
            rows = [T.Bind(head * shape.head_size + d), T.Bind(head * shape.head_size + d + half)]
            (products,), factors = _multiply((normalizer, weights), [rows], (thread, _QKV_WARPS), tokens)
            target = _Qkv(shape, layer, (places, rotation), (q, keys, values))
            with when(thread % WARP == 0), T.unroll(0, tokens) as token:
                scaled = [total[token] * factors[token] for total in products]
                target.write(token, (head, d), [_biased(*both, bias) for both in zip(scaled, rows, strict=True)])

    return build_kernel(f"linear_{linear.name}_m{tokens}", emit)


def project_gate_up(shape: DecoderShape, linear: LinearShape, tokens: int) -> Any:
    """PrimFunc `(x, gain, weights…, codes, scales, sums)`: norm, linear, silu(gate) * up and quantising in one."""
    pairs = _GROUP // _GATE_UP_WARPS

    def emit() -> None:
        normalizer = Normalizer(shape.hidden, shape.epsilon)
        weights = declare_weights(linear.format, linear.rows, linear.inner)
        target = declare_quantised(shape.feed_forward)
        with launch([shape.feed_forward // _GROUP], _GATE_UP_WARPS * WARP, awaits=False) as (block, thread):
            warp, lane = T.Bind(thread // WARP), T.Bind(thread % WARP)
            rows = [T.Bind(block * _GROUP + warp * pairs + index) for index in range(pairs)]
            both = [[row, T.Bind(row + shape.feed_forward)] for row in rows]
            totals, factors = _multiply((normalizer, weights), both, (thread, _GATE_UP_WARPS), tokens)
            activated = shared([tokens, _GROUP], "float32")
            with when(lane == 0), T.unroll(0, tokens) as token:
                for index, (gates, ups) in enumerate(totals):
                    gate, up = T.Bind(gates[token] * factors[token]), ups[token] * factors[token]
                    put(activated, _silu(gate) * up, token, warp * pairs + index)
            synchronize()
            with when(warp < tokens):
                quantize_group(target, (warp, block), lane, activated[warp, lane])

    return build_kernel(f"linear_{linear.name}_m{tokens}", emit)


def _multiply(
    arguments: tuple[Normalizer, Weights], pairs: list[list[Expr]], place: tuple[Expr, int], tokens: int
) -> tuple[list[list[Any]], Any]:
    """By pair and row of the pair, the products with each token in registers; and each token's factor of them."""
    (normalizer, weights), (thread, warps), left = arguments, place, fetched_words(tokens)
    share = Share(T.Bind(thread % WARP), WARP, int(weights.codes.shape[1]))
    rows, at_once = [row for pair in pairs for row in pair], 2 if tokens <= 2 else 4
    products = [
        RowProducts(weights, rows[first : first + at_once], share, tokens) for first in range(0, len(rows), at_once)
    ]
    for several in products:
        left = several.fetch(left)
    gains = normalizer.fetch(thread, warps * WARP)
    await_producers()
    inputs = normalizer.make(tokens, thread, gains, warps * WARP)
    synchronize()
    totals = [total for several in products for total in several.multiply(inputs.codes)]
    return [totals[first : first + 2] for first in range(0, len(totals), 2)], inputs.factors(tokens)


@dataclass(frozen=True, slots=True)
class _Qkv:
    """Where a token's queries, keys and values go."""

    shape: DecoderShape
    layer: Expr
    tables: tuple[Any, Any]
    outputs: tuple[Any, Any, Any]

    def write(self, token: Expr, place: tuple[Expr, Expr], pair: list[Expr]) -> None:
        """Rotate a pair of values of dimensions d and d + head_size / 2 of a head, unless they are values."""
        (places, rotation), (q, keys, values), (head, d), shape = self.tables, self.outputs, place, self.shape
        low, high = (T.Bind(value) for value in pair)
        slot, position = T.Bind(places[token + SLOTS]), T.Bind(T.max(places[token + POSITIONS], 0))
        half, num_rotated = shape.head_size // 2, shape.num_heads + shape.num_kv_heads
        cosine, sine = T.Bind(rotation[position, d]), T.Bind(rotation[position, d + half])
        rotated = (T.Bind(low * cosine - high * sine), T.Bind(high * cosine + low * sine))
        append = Append(shape, self.layer, slot)
        for side, value in enumerate(rotated):
            column = d + side * half
            with when(head < shape.num_heads):
                put(q, value * T.float32(1 / math.sqrt(shape.head_size)), token, head * shape.head_size + column)
            with when(T.And(T.And(head >= shape.num_heads, head < num_rotated), slot >= 0)):
                append.store(keys, head - shape.num_heads, column, value)
            with when(T.And(head >= num_rotated, slot >= 0)):
                append.store(values, head - num_rotated, column, (low, high)[side])


def _biased(total: Expr, row: Expr, bias: Any) -> Expr:
    return total + bias[row] if bias is not None else total


def _silu(gate: Expr) -> Expr:
    return gate / (T.float32(1) + T.exp(T.float32(0) - gate))
