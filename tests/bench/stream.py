"""How fast this machine's memory can be read: kernels that only read and add up, in several shapes, the best counts.

One thread reads one stretch, or several stretches at once; with hints to fetch ahead or without. Which is fastest
depends on the processor's own fetching ahead, so all are tried.
"""

import mmap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from heron.host.compiler.kernels.vector import constant, load, prefetch, store
from heron.host.compiler.target import choose_target
from heron.settings import EngineSettings

STREAM_BYTES = 512 << 20
_LANES = 16
_LINE_WORDS = 16
_LINES = 4
"""Cache lines of each stretch that a step reads."""


@dataclass(frozen=True, slots=True)
class Shape:
    """`streams` stretches a thread reads at once; hints go `ahead_bytes` ahead, 0 gives none."""

    threads: int
    streams: int
    ahead_bytes: int


def build_streams(threads: int) -> dict[str, Callable[[], None]]:
    """By name, functions that each read `STREAM_BYTES` once, every thread its share."""
    import tvm

    source = tvm.runtime.from_dlpack(_allocate(STREAM_BYTES // 4))
    shapes = [Shape(threads, streams, ahead) for streams in (1, 2, 4, 8) for ahead in (0, 4096)]
    return {f"{shape.streams} streams, {shape.ahead_bytes} ahead": _compile(shape, source) for shape in shapes}


def _allocate(words: int) -> np.typing.NDArray[np.int32]:
    """Zeros that were written once, in huge pages where the system gives them."""
    if not hasattr(mmap, "MADV_HUGEPAGE"):
        return np.ones(words, np.int32)
    memory = mmap.mmap(-1, 4 * words, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)  # shared memory has no huge pages
    memory.madvise(mmap.MADV_HUGEPAGE)
    values = np.frombuffer(memory, np.int32)
    values[:] = 1
    return values


def _compile(shape: Shape, source: Any) -> Callable[[], None]:
    import tvm

    target = tvm.target.Target(choose_target(EngineSettings()).tvm_attributes())
    library = tvm.compile(tvm.IRModule({"stream": _build(shape)}), target=target).jit()
    sums = tvm.runtime.tensor(np.zeros((shape.threads, _sum_words(shape)), np.int32))
    function = library["stream"]
    return lambda: function(source, sums)


def _sum_words(shape: Shape) -> int:
    return shape.streams * _LINES * _LINE_WORDS


def _build(shape: Shape) -> Any:
    from tvm.script.ir_builder import IRBuilder
    from tvm.tirx.script import builder as T

    words, step = STREAM_BYTES // 4, _LINES * _LINE_WORDS
    stretch = words // shape.threads // shape.streams
    with IRBuilder() as builder, T.prim_func(s_tir=True):
        T.func_name("stream")
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True})
        source_handle, target_handle = T.arg("source", T.handle()), T.arg("target", T.handle())
        source = T.match_buffer(source_handle, (words,), "int32")
        target = T.match_buffer(target_handle, (shape.threads, _sum_words(shape)), "int32")
        with T.sblock("root"):
            T.reads()
            T.writes()
            with T.parallel(0, shape.threads) as thread:
                sums = T.alloc_buffer((_sum_words(shape),), "int32", scope="global")
                for lane in range(0, _sum_words(shape), _LANES):
                    store(sums, constant(0, "int32", _LANES), [], lane, _LANES)
                with T.serial(0, stretch // step) as index:
                    for stream in range(shape.streams):
                        first = T.Bind((thread * shape.streams + stream) * stretch + index * step)
                        _read_step(shape, (source, sums), first, stream * step)
                for lane in range(0, _sum_words(shape), _LANES):
                    store(target, load(sums, [], lane, _LANES), [thread], lane, _LANES)
    return builder.get()


def _read_step(shape: Shape, buffers: tuple[Any, Any], first: Any, place: int) -> None:
    source, sums = buffers
    for line in range(0, _LINES * _LINE_WORDS, _LANES):
        if shape.ahead_bytes:
            prefetch(source, [first + line + shape.ahead_bytes // 4])
        total = load(sums, [], place + line, _LANES) + load(source, [], first + line, _LANES)
        store(sums, total, [], place + line, _LANES)
