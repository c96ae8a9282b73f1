"""Kernels on activations: embedding rows, and quantising to int8 with a scale for each 32 values.

Quantised activations are three buffers for MAX_TOKENS rows, as on the CPU: codes int32 [·, K/4] (four int8 a word),
scales float32 [·, K/32], and sums float32 [·, K/16] of what each 16 codes stand for.
"""

from dataclasses import dataclass
from typing import Any

from tvm.tirx.script import builder as T

from heron.host.compiler.gpu.emit import (
    WARP,
    Expr,
    argument,
    build_kernel,
    exchange,
    launch,
    put,
    registers,
    round_to_int,
    shared,
    signed_byte,
    synchronize,
    warp_max,
    warp_sum,
    when,
)
from heron.host.compiler.gpu.formats import GroupFormat
from heron.host.compiler.gpu.shapes import LOGIT_ROWS, MAX_TOKENS, PLACES_SIZE, TOKEN_IDS
from heron.host.compiler.gpu.weights import declare_weights

_THREADS = 256
_WARPS = _THREADS // WARP


@dataclass(frozen=True, slots=True)
class QuantBuffers:
    """Quantised activations of one width."""

    codes: Any
    scales: Any
    sums: Any


def declare_quantised(inner: int) -> QuantBuffers:
    """Declare the next three arguments: quantised activations of `inner` values a row."""
    return QuantBuffers(
        argument("codes", (MAX_TOKENS, inner // 4), "int32"),
        argument("scales", (MAX_TOKENS, inner // 32), "float32"),
        argument("sums", (MAX_TOKENS, inner // 16), "float32"),
    )


def embed(data_format: GroupFormat, rows: int, hidden: int) -> Any:
    """PrimFunc `embed(n, places, codes…, x)`: rows of the packed embedding, float32 [·, hidden]."""
    groups = hidden // 32

    def emit() -> None:
        n = T.arg("n", T.int32())
        places = argument("places", (PLACES_SIZE,), "int32")
        weights = declare_weights(data_format, rows, hidden)
        x = argument("x", (MAX_TOKENS, hidden), "float32")
        with launch([n, -(-groups // WARP)], WARP) as (token, block, lane):
            group = T.Bind(block * WARP + lane)
            with when(group < groups):
                row = T.Bind(T.max(places[token + TOKEN_IDS], 0))
                words = weights.load(row, group)
                for index, word in enumerate(words):
                    for byte in range(4):
                        value = weights.weigh(signed_byte(word, byte), row, group, index // 4)
                        put(x, value, token, group * 32 + 4 * index + byte)

    return build_kernel("embed", emit)


def quantize_rms(name: str, width: int, epsilon: float, picked: bool) -> Any:
    """PrimFunc `(n, [places,] x, gain, codes, scales, sums)`: RMSNorm, then quantised; rows LOGIT_ROWS if `picked`."""
    groups = width // 32

    def emit() -> None:
        n = T.arg("n", T.int32())
        places = argument("places", (PLACES_SIZE,), "int32") if picked else None
        x = argument("x", (MAX_TOKENS, width), "float32")
        gain = argument("gain", (width,), "float32")
        target = declare_quantised(width)
        with launch([n], _THREADS) as (token, thread):
            row = T.Bind(T.max(places[token + LOGIT_ROWS], 0)) if places is not None else token
            factor = _inverse_rms(x, row, thread, (width, epsilon))
            for step in range(-(-groups // _WARPS)):
                group = T.Bind(thread // WARP + step * _WARPS)
                with when(group < groups):
                    column = T.Bind(group * WARP + thread % WARP)
                    quantize_group(target, (token, group), thread % WARP, x[row, column] * factor * gain[column])

    return build_kernel(name, emit)


def quantize_silu(width: int) -> Any:
    """PrimFunc `quantize_silu(n, gate_up, codes, scales, sums)`: silu(gate) * up of float32 [·, 2 * width]."""
    groups = width // 32

    def emit() -> None:
        n = T.arg("n", T.int32())
        gate_up = argument("gate_up", (MAX_TOKENS, 2 * width), "float32")
        target = declare_quantised(width)
        with launch([n, -(-groups // _WARPS)], _THREADS) as (token, block, thread):
            group = T.Bind(block * _WARPS + thread // WARP)
            with when(group < groups):
                column = T.Bind(group * WARP + thread % WARP)
                gate = T.Bind(gate_up[token, column])
                activated = gate / (T.float32(1) + T.exp(T.float32(0) - gate))
                quantize_group(target, (token, group), thread % WARP, activated * gate_up[token, column + width])

    return build_kernel("quantize_silu", emit)


def quantize_group(target: QuantBuffers, place: tuple[Expr, Expr], lane: Expr, value: Expr) -> None:
    """Quantise 32 values, one a lane, into group `place` (token, group)."""
    token, group = place
    value = T.Bind(value)
    peak = T.Bind(warp_max(T.fabs(value)))
    inverse = T.Select(peak > T.float32(1e-36), T.float32(127) / peak, T.float32(0))
    code = T.Bind(round_to_int(value * inverse))
    scale = T.Bind(peak * T.float32(1.0 / 127))
    half_sum = T.Bind(warp_sum(code, 16))
    word = T.Bind(T.shift_left(T.bitwise_and(code, 255), 8 * (lane % 4)))
    for distance in (1, 2):
        word = T.Bind(T.bitwise_or(word, exchange(word, distance)))
    with when(lane % 4 == 0):
        put(target.codes, word, token, group * 8 + lane // 4)
    with when(lane % 16 == 0):
        put(target.sums, T.Cast("float32", half_sum) * scale, token, group * 2 + lane // 16)
    with when(lane == 0):
        put(target.scales, scale, token, group)


def _inverse_rms(x: Any, row: Expr, thread: Expr, norm: tuple[int, float]) -> Expr:
    """1 / sqrt(mean of squares + epsilon) of a row, in every thread of the block."""
    width, epsilon = norm
    total = registers(1, "float32")
    put(total, T.float32(0), 0)
    for first in range(0, width, _THREADS):
        column = T.Bind(thread + first)
        with when(column < width):
            value = T.Bind(x[row, column])
            put(total, total[0] + value * value, 0)
    sums = shared([_WARPS], "float32")
    mine = warp_sum(total[0])
    with when(thread % WARP == 0):
        put(sums, mine, thread // WARP)
    synchronize()
    whole = sums[0]
    for warp in range(1, _WARPS):
        whole = whole + sums[warp]
    return T.Bind(T.float32(1) / T.sqrt(whole * T.float32(1.0 / width) + T.float32(epsilon)))
