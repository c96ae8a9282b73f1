"""Vector expressions that the kernels are built from: short names for TIR, and arithmetic it has no good form of."""

from collections.abc import Callable
from typing import Any

from tvm.tirx.script import builder as T

Expr = Any
"""A TIR expression. TVM carries no type information, so the name only documents."""

_ROUND_MAGIC = 12582912.0  # 1.5 * 2**23: adding it leaves the rounded integer in the low mantissa bits
_ROUND_BITS = 0x4B400000
_EXP2_TERMS = (  # minimax polynomial of 2**x on [-0.5, 0.5], highest power first; relative error 2e-7
    1.535336188319500e-4,
    1.339887440266574e-3,
    9.618437357674640e-3,
    5.550332471162809e-2,
    2.402264791363012e-1,
    6.931472028550421e-1,
    1.0,
)
_LOG2_E = 1.4426950408889634
_GELU_SCALE, _GELU_CUBIC = 0.7978845608028654, 0.044715


def load(buffer: Any, indices: list[Expr], first: Expr, lanes: int) -> Expr:
    """`lanes` neighbouring elements of the buffer's last axis, starting at `first`."""
    return buffer[(*indices, T.Ramp(first, 1, lanes))]


def store(buffer: Any, value: Expr, indices: list[Expr], first: Expr, lanes: int) -> None:
    """Emit a store of `lanes` neighbouring elements of the buffer's last axis."""
    T.buffer_store(buffer, value, [*indices, T.Ramp(first, 1, lanes)])


def prefetch(buffer: Any, indices: list[Expr]) -> None:
    """Emit a hint to bring the cache line of an element near; the element may lie beyond the buffer's end."""
    reading, keep, data = T.int32(0), T.int32(3), T.int32(1)
    T.evaluate(
        T.call_llvm_intrin("void", "llvm.prefetch.p0", T.address_of(buffer[tuple(indices)]), reading, keep, data)
    )


def splat(value: Expr, lanes: int) -> Expr:
    """One scalar expression in every lane."""
    return T.Broadcast(value, lanes)


def constant(value: float, dtype: str, lanes: int) -> Expr:
    """One constant in every lane."""
    return T.Broadcast(getattr(T, dtype)(value), lanes)


def as_type(value: Expr, dtype: str, lanes: int) -> Expr:
    """The same bits read as another type; `dtype` is the element's."""
    return T.reinterpret(f"{dtype}x{lanes}", value)


def to_type(value: Expr, dtype: str, lanes: int) -> Expr:
    """Each lane converted to another type."""
    return T.Cast(f"{dtype}x{lanes}", value)


def round_to_int(value: Expr, lanes: int) -> Expr:
    """float32 rounded to the nearest int32, ties to even, for |value| < 2**22. Needs no rounding instruction."""
    shifted = value + constant(_ROUND_MAGIC, "float32", lanes)
    return as_type(shifted, "int32", lanes) - constant(_ROUND_BITS, "int32", lanes)


def exp(value: Expr, lanes: int) -> Expr:
    """e**value, clamped to [2**-126, 2**126]; relative error below 1e-6 near 0, 8e-6 at the ends. Calls no libm."""
    power = T.Bind(value * constant(_LOG2_E, "float32", lanes))
    clamped = T.Bind(T.max(T.min(power, constant(126.0, "float32", lanes)), constant(-126.0, "float32", lanes)))
    whole = T.Bind(round_to_int(clamped, lanes))
    rest = T.Bind(clamped - to_type(whole, "float32", lanes))
    mantissa = constant(_EXP2_TERMS[0], "float32", lanes)
    for term in _EXP2_TERMS[1:]:
        mantissa = mantissa * rest + constant(term, "float32", lanes)
    exponent = T.shift_left(whole + constant(127, "int32", lanes), constant(23, "int32", lanes))
    return mantissa * as_type(exponent, "float32", lanes)


def silu(value: Expr, lanes: int) -> Expr:
    """value * sigmoid(value)."""
    one = constant(1.0, "float32", lanes)
    return value / (one + exp(constant(0.0, "float32", lanes) - value, lanes))


def gelu(value: Expr, lanes: int) -> Expr:
    """value * (1 + tanh(sqrt(2 / pi) * (value + 0.044715 * value**3))) / 2 (Hendrycks and Gimpel 2016)."""
    cubic = value * value * constant(_GELU_CUBIC, "float32", lanes) + constant(1.0, "float32", lanes)
    power = value * cubic * constant(-2 * _GELU_SCALE, "float32", lanes)
    return value / (constant(1.0, "float32", lanes) + exp(power, lanes))


def tanh(value: Expr, lanes: int) -> Expr:
    """Hyperbolic tangent, absolute error below 1e-6."""
    one, two = constant(1.0, "float32", lanes), constant(2.0, "float32", lanes)
    return one - two / (one + exp(value * two, lanes))


def softcap(value: Expr, cap: float, lanes: int) -> Expr:
    """cap * tanh(value / cap)."""
    return constant(cap, "float32", lanes) * tanh(value * constant(1 / cap, "float32", lanes), lanes)


def reduce_sum(value: Expr, dtype: str) -> Expr:
    """The sum of all lanes; `dtype` is the element's. Float lanes are added pairwise."""
    if dtype == "float32":
        return _reduce(value, lambda left, right: left + right)
    return T.call_llvm_pure_intrin(dtype, "llvm.vector.reduce.add", value)


def reduce_max(value: Expr) -> Expr:
    """The largest float32 lane."""
    return _reduce(value, T.max)


def _reduce(value: Expr, combine: Callable[[Expr, Expr], Expr]) -> Expr:
    """Combine the halves of a float32 vector until one lane is left; LLVM's own float reductions go lane by lane."""
    lanes = int(str(value.ty.dtype).partition("x")[2])
    while lanes > 1:
        lanes //= 2
        low, high = list(range(lanes)), list(range(lanes, 2 * lanes))
        value = T.Bind(combine(T.Shuffle([value], low), T.Shuffle([value], high)))
    return value


def half_bits_to_float(bits: Expr, lanes: int) -> Expr:
    """float32 from IEEE half bits (uint16 lanes) by integer operations; exact for finite values and subnormals."""
    wide = T.Bind(to_type(bits, "int32", lanes))
    magnitude = T.Bind(T.bitwise_and(wide, constant(0x7FFF, "int32", lanes)))
    sign = T.shift_left(T.bitwise_and(wide, constant(0x8000, "int32", lanes)), constant(16, "int32", lanes))
    rebased = T.shift_left(magnitude, constant(13, "int32", lanes)) + constant((127 - 15) << 23, "int32", lanes)
    tiny = to_type(magnitude, "float32", lanes) * constant(2.0**-24, "float32", lanes)
    is_tiny = magnitude < constant(0x400, "int32", lanes)
    absolute = T.Select(is_tiny, as_type(tiny, "int32", lanes), rebased)
    return as_type(T.bitwise_or(absolute, sign), "float32", lanes)
