"""RMSNorm and quantising of a few tokens within the kernel that multiplies them: each block makes them for itself.

Codes and scales are those of x * gain; what the norm divides by is a factor of a token's every product, and so it is
known only when these are done: nobody waits for it.
"""

from dataclasses import dataclass
from typing import Any

from tvm.tirx.script import builder as T

from heron.host.compiler.gpu.activation import QuantBuffers
from heron.host.compiler.gpu.emit import (
    WARP,
    Expr,
    argument,
    copy_words,
    put,
    registers,
    round_to_int,
    shared,
    warp_max,
    warp_sum,
    when,
)
from heron.host.compiler.gpu.shapes import MAX_TOKENS

_GROUP_LANES = 8  # a lane takes four values, a word of codes


@dataclass(frozen=True, slots=True)
class NormalizedInputs:
    """A block's own quantised activations in shared memory, and sums of squares by token and warp."""

    codes: QuantBuffers
    squares: Any
    width: int
    epsilon: float

    def factors(self, tokens: int) -> Any:
        """Registers with each token's 1 / sqrt(mean of squares + epsilon)."""
        factors = registers(tokens, "float32")
        with T.unroll(0, tokens) as token:
            total = self.squares[token, 0]
            for warp in range(1, int(self.squares.shape[1])):
                total = total + self.squares[token, warp]
            mean = total * T.float32(1.0 / self.width)
            put(factors, T.float32(1) / T.sqrt(mean + T.float32(self.epsilon)), token)
        return factors


class Normalizer:
    """Declares the arguments `x, gain`, fetches the gains, and later makes a block's inputs of what is in x."""

    def __init__(self, width: int, epsilon: float) -> None:
        self._width, self._epsilon = width, epsilon
        self._x = argument("x", (MAX_TOKENS, width), "float32")
        self._gain = argument("gain", (width,), "float32")

    def fetch(self, thread: Expr, threads: int) -> list[Any]:
        """This thread's gains; they are there before x is."""
        gains = []
        for step in range(-(-self._width // (4 * threads))):
            gains.append(_zeros(4))
            word = T.Bind(thread + step * threads)
            with when(word < self._width // 4):
                copy_words(gains[-1], self._gain, [word * 4], 4)
        return gains

    def make(self, tokens: int, thread: Expr, gains: list[Any], threads: int) -> NormalizedInputs:
        """Write tokens' codes to shared memory; to be read after a barrier."""
        made = self._allocate(tokens, threads)
        with T.unroll(0, tokens) as token:
            squares = registers(1, "float32")
            put(squares, T.float32(0), 0)
            for step, gain in enumerate(gains):
                self._make_words(made.codes, (token, T.Bind(thread + step * threads)), gain, squares)
            total = warp_sum(squares[0])
            with when(thread % WARP == 0):
                put(made.squares, total, token, thread // WARP)
        return made

    def _allocate(self, tokens: int, threads: int) -> NormalizedInputs:
        codes = QuantBuffers(
            shared([tokens, self._width // 4], "int32"),
            shared([tokens, self._width // 32], "float32"),
            shared([tokens, self._width // 16], "float32"),
        )
        return NormalizedInputs(codes, shared([tokens, threads // WARP], "float32"), self._width, self._epsilon)

    def _make_words(self, to: QuantBuffers, place: tuple[Expr, Expr], gain: Any, squares: Any) -> None:
        """Quantise the four values of a lane's word, together with the seven lanes beside it."""
        token, word = place
        values = _zeros(4)
        with when(word < self._width // 4):
            copy_words(values, self._x, [token, word * 4], 4)
        scaled = []
        for index in range(4):
            put(squares, squares[0] + values[index] * values[index], 0)
            scaled.append(T.Bind(values[index] * gain[index]))
        peak = T.Bind(T.max(T.max(T.fabs(scaled[0]), T.fabs(scaled[1])), T.max(T.fabs(scaled[2]), T.fabs(scaled[3]))))
        peak = T.Bind(warp_max(peak, _GROUP_LANES))
        inverse = T.Bind(T.Select(peak > T.float32(1e-36), T.float32(127) / peak, T.float32(0)))
        codes = [T.Bind(round_to_int(value * inverse)) for value in scaled]
        half = T.Bind(warp_sum(codes[0] + codes[1] + codes[2] + codes[3], _GROUP_LANES // 2))
        scale = T.Bind(peak * T.float32(1.0 / 127))
        with when(word < self._width // 4):
            put(to.codes, _pack(codes), token, word)
            with when(word % 4 == 0):
                put(to.sums, T.Cast("float32", half) * scale, token, word // 4)
            with when(word % 8 == 0):
                put(to.scales, scale, token, word // 8)


def _zeros(count: int) -> Any:
    values = registers(count, "float32")
    for index in range(count):
        put(values, T.float32(0), index)
    return values


def _pack(codes: list[Expr]) -> Expr:
    """Four signed codes as the bytes of a word."""
    word: Expr = T.bitwise_and(codes[0], 255)
    for index in range(1, 4):
        word = T.bitwise_or(word, T.shift_left(T.bitwise_and(codes[index], 255), 8 * index))
    return word
