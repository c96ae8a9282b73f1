"""Pieces that the GPU kernels are emitted from: the kernel's frame, warps, and unpacking of codes.

What CUDA and Metal spell differently is told apart here, by the target in whose scope a kernel is emitted. Metal
calls a warp a SIMD group, of 32 lanes on all Apple GPUs (Metal Shading Language Specification 3, section 6.9.2).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from tvm.script.ir_builder import IRBuilder
from tvm.target import Target
from tvm.tirx.script import builder as T

from heron.host.compiler.gpu.formats import GroupFormat

Expr = Any
"""A TIR expression. TVM carries no type information, so the name only documents."""

WARP = 32
_ALL_LANES = 0xFFFFFFFF


def on_metal() -> bool:
    """Whether kernels are emitted for Metal now."""
    target = Target.current(allow_none=True)
    return target is not None and str(target.kind.name) == "metal"


def vector_halves() -> int:
    """Halves a thread loads at a time: 16 bytes on CUDA; Metal's vectors have four elements."""
    return 4 if on_metal() else 8


def build_kernel(name: str, emit: Callable[[], None]) -> Any:
    """The PrimFunc `name` whose arguments and body `emit` emits."""
    with IRBuilder() as builder, T.prim_func(s_tir=True):
        T.func_name(name)
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True, "global_symbol": name})
        emit()
    return builder.get()


def argument(name: str, shape: Sequence[Expr], dtype: str) -> Any:
    """Declare the next argument of the kernel: a buffer."""
    return T.match_buffer(T.arg(f"{name}_handle", T.handle()), tuple(shape), dtype)


@contextmanager
def launch(blocks: Sequence[Expr], threads: int, awaits: bool = True) -> Iterator[list[Expr]]:
    """The kernel's body: gives the block's indices and the thread's.

    On CUDA a kernel begins while the one before it still runs (CUDA Programming Guide, "Programmatic Dependent
    Launch"). Unless it `awaits` at once, the body has to call `await_producers`, in every thread and before it touches
    anything but weights; only so has everything before it ended, and not only its neighbour.
    """
    with ExitStack() as stack:
        stack.enter_context(T.sblock("root"))
        T.reads()
        T.writes()
        indices = [
            stack.enter_context(T.thread_binding(0, extent, thread=f"blockIdx.{axis}"))
            for axis, extent in zip("xyz", blocks, strict=False)
        ]
        thread = stack.enter_context(T.thread_binding(0, threads, thread="threadIdx.x"))
        if not on_metal():
            T.evaluate(T.ptx.griddepcontrol.launch_dependents())
        if awaits:
            await_producers()
        yield [*indices, thread]


def await_producers() -> None:
    """Wait until every kernel before this one has ended, and see what they wrote."""
    if not on_metal():
        T.evaluate(T.ptx.griddepcontrol.wait())


@contextmanager
def when(condition: Expr) -> Iterator[None]:
    """Statements that run where the condition holds."""
    with T.If(condition), T.Then():
        yield


def registers(count: int, dtype: str) -> Any:
    """Values of one thread; index them with constants, or they leave the registers."""
    return T.alloc_buffer((count,), dtype, scope="local")


def shared(shape: Sequence[int], dtype: str) -> Any:
    """Values that the threads of a block share."""
    return T.alloc_buffer(tuple(shape), dtype, scope="shared")


def synchronize() -> None:
    """Wait for the other threads of the block, and see what they wrote to shared memory."""
    T.evaluate(T.tvm_storage_sync("shared"))


def put(buffer: Any, value: Expr, *place: Expr) -> None:
    """Store one element."""
    T.buffer_store(buffer, value, list(place))


def copy_words(target: Any, source: Any, place: Sequence[Expr], count: int) -> None:
    """Load `count` neighbouring elements that begin at `place` into registers, four at a time."""
    *outer, first = place
    step = min(count, 4)
    for start in range(0, count, step):
        lanes = T.Ramp(start, 1, step) if step > 1 else start
        source_lanes = T.Ramp(first + start, 1, step) if step > 1 else first + start
        T.buffer_store(target, source[(*outer, source_lanes)], [lanes])


def exchange(value: Expr, distance: int) -> Expr:
    """The value of the lane whose number differs in the bit `distance`."""
    if on_metal():
        return T.call_extern(value.ty.dtype, "simd_shuffle_xor", value, distance)
    return T.tvm_warp_shuffle_xor(T.uint32(_ALL_LANES), value, distance, WARP, WARP)


def broadcast(value: Expr, lane: int) -> Expr:
    """The value of one lane, in all."""
    if on_metal():
        return T.call_extern(value.ty.dtype, "simd_shuffle", value, lane)
    return T.tvm_warp_shuffle(T.uint32(_ALL_LANES), value, lane, WARP, WARP)


def round_to_int(value: Expr) -> Expr:
    """The nearest int32, ties to even."""
    if on_metal():
        return T.Cast("int32", T.call_pure_extern("float32", "rint", value))
    return T.call_pure_extern("int32", "__float2int_rn", value)


def warp_sum(value: Expr, lanes: int = WARP) -> Expr:
    """The sum over `lanes` neighbouring lanes, in each of them."""
    return _butterfly(value, lanes, lambda left, right: left + right)


def warp_max(value: Expr, lanes: int = WARP) -> Expr:
    """The largest over `lanes` neighbouring lanes, in each of them."""
    return _butterfly(value, lanes, T.max)


def _butterfly(value: Expr, lanes: int, combine: Callable[[Expr, Expr], Expr]) -> Expr:
    distance = lanes // 2
    while distance:
        value = T.Bind(value)
        value = T.Bind(combine(value, exchange(value, distance)))
        distance //= 2
    return value


def unpack_codes(data_format: GroupFormat, words: Any, high: Any) -> list[Expr]:
    """Eight words of four codes each, in the order of k, from registers of one group of 32."""
    if data_format.bits == 8:
        return [words[index] for index in range(8)]
    return [T.Bind(_unpack_word(data_format, words, high, index)) for index in range(8)]


def _unpack_word(data_format: GroupFormat, words: Any, high: Any, index: int) -> Expr:
    nibbles = T.bitwise_and(_shift_right(words[index % 4], 4 * (index // 4)), T.int32(0x0F0F0F0F))
    planes = data_format.high_words
    if not planes:
        return nibbles
    row, position = divmod(index, 8 // planes)
    mask = T.int32(0x01010101 if planes == 1 else 0x03030303)
    upper = T.bitwise_and(_shift_right(high[row], planes * position), mask)
    return T.bitwise_or(nibbles, T.shift_left(upper, T.int32(4)))


def _shift_right(value: Expr, bits: int) -> Expr:
    return T.shift_right(value, T.int32(bits)) if bits else value


def dot_bytes(left: Sequence[Expr], right: Sequence[Expr]) -> Expr:
    """Σ of products of signed bytes, int32."""
    total: Expr = T.int32(0)
    for a, b in zip(left, right, strict=True):
        total = _dot_words(a, b, total)
    return total


def signed_byte(word: Expr, index: int) -> Expr:
    """Byte `index` of a word."""
    return T.shift_right(T.shift_left(word, T.int32(24 - 8 * index)), T.int32(24))


def _dot_words(left: Expr, right: Expr, total: Expr) -> Expr:
    if not on_metal():
        return T.call_pure_extern("int32", "__dp4a", left, right, total)
    for index in range(4):
        total = total + signed_byte(left, index) * signed_byte(right, index)
    return T.Bind(total)
