"""Runs kernels' Metal source on the CPU: compiled as C++, a block's threads as fibers, lanes in step.

Stands in for Apple's hardware to check what the kernels compute and how they are called, not for its compiler or its
memory model.
"""

import ctypes
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tvm

PRELUDE = r"""
#include <immintrin.h>
#include <setjmp.h>
#include <ucontext.h>
#include <cmath>
#include <cstring>
#include <vector>
typedef unsigned int uint;
struct uint2 { uint x, y; };
struct uint3 { uint x, y, z; };
typedef int int2 __attribute__((vector_size(8), aligned(4)));
typedef int int4 __attribute__((vector_size(16), aligned(4)));
typedef float float2 __attribute__((vector_size(8), aligned(4)));
typedef float float4 __attribute__((vector_size(16), aligned(4)));
struct half {
  unsigned short bits;
  half() {}
  half(float value) : bits(_cvtss_sh(value, 0)) {}
  operator float() const { return _cvtsh_ss(bits); }
};
struct half2 { half at[2]; half& operator[](int i) { return at[i]; } };
struct half4 { half at[4]; half& operator[](int i) { return at[i]; } };
static half operator""h(long double value) { return half((float)value); }
template <class T> static T select(T no, T yes, bool which) { return which ? yes : no; }
template <class T> static T max(T a, T b) { return a > b ? a : b; }
template <class T> static T min(T a, T b) { return a < b ? a : b; }
template <class T, class F> static T as_type(F value) { T to; memcpy(&to, &value, sizeof to); return to; }
using std::sqrt; using std::exp; using std::fabs; using std::rint;

static const int STACK = 1 << 16;
struct Fiber {
  ucontext_t first;
  jmp_buf place;
  std::vector<char> stack;
  bool begun = false, done = false, waits = false;
  unsigned slot[4];
};
static std::vector<Fiber> fibers;
static jmp_buf scheduler;
static int current;
// Without the system call that swapcontext makes.
static void yield() { if (!_setjmp(fibers[current].place)) _longjmp(scheduler, 1); }
static void resume(Fiber& fiber) {
  if (_setjmp(scheduler)) return;
  if (fiber.begun) _longjmp(fiber.place, 1);
  fiber.begun = true;
  setcontext(&fiber.first);
}
enum class mem_flags { mem_threadgroup };
static void threadgroup_barrier(mem_flags) { fibers[current].waits = true; while (fibers[current].waits) yield(); }
template <class T> static T from_lane(T value, int lane) {
  memcpy(fibers[current].slot, &value, sizeof value);
  yield();  // now every lane has written
  T other;
  memcpy(&other, fibers[current / 32 * 32 + lane].slot, sizeof other);
  yield();  // now every lane has read
  return other;
}
template <class T> static T simd_shuffle_xor(T value, int mask) { return from_lane(value, (current % 32) ^ mask); }
template <class T> static T simd_shuffle(T value, int lane) { return from_lane(value, lane); }
static void (*body)(int);
static void enter() { body(current); fibers[current].done = true; yield(); }
static void run_block(int threads, void (*what)(int)) {
  body = what;
  if ((int)fibers.size() < threads) fibers = std::vector<Fiber>(threads);
  for (int index = 0; index < threads; index++) {
    auto& fiber = fibers[index];
    fiber.begun = fiber.done = fiber.waits = false;
    fiber.stack.resize(STACK);
    getcontext(&fiber.first);
    fiber.first.uc_stack.ss_sp = fiber.stack.data();
    fiber.first.uc_stack.ss_size = STACK;
    makecontext(&fiber.first, enter, 0);
  }
  for (bool alive = true; alive;) {
    alive = false;
    bool all_wait = true;
    for (current = 0; current < threads; current++) {
      auto& fiber = fibers[current];
      if (fiber.done) continue;
      if (!fiber.waits) resume(fiber);
      alive = alive || !fiber.done;
      all_wait = all_wait && (fiber.waits || fiber.done);
    }
    if (all_wait) for (int index = 0; index < threads; index++) fibers[index].waits = false;
  }
}
"""

RUN = """
struct {name}_place {{
  static void** buffers;
  static {args}* numbers;
  static uint3 block;
  static void run(int index) {{ {name}({pointers}, {numbers_argument}{place}); }}
}};
void** {name}_place::buffers;
{args}* {name}_place::numbers;
uint3 {name}_place::block;
extern "C" void run_{name}(void** buffers, void* numbers, const int* grid, int threads) {{
  using place = {name}_place;
  place::buffers = buffers; place::numbers = ({args}*)numbers;
  for (place::block.z = 0; place::block.z < (uint)grid[2]; place::block.z++)
    for (place::block.y = 0; place::block.y < (uint)grid[1]; place::block.y++)
      for (place::block.x = 0; place::block.x < (uint)grid[0]; place::block.x++) run_block(threads, place::run);
}}
"""
FLAGS = ("-shared", "-fPIC", "-O0", "-w", "-std=c++17", "-mf16c", "-Dkernel=static", "-Ddevice=", "-Dthread=",
         "-Dthreadgroup=static", "-Dconstant=const")  # fmt: skip


@dataclass(frozen=True)
class Kernel:
    """How a kernel is called: kinds of its arrays, and the axes of blocks in its grid."""

    name: str
    num_arrays: int
    num_numbers: int
    num_axes: int


def emulate_kernels(executable: Any, folder: Path) -> Any:
    """The functions by name of a library compiled for Metal `in_host_memory`.

    All but the kernels themselves is what TVM makes for Metal: the checks of arguments, their order, the grids. Where
    no module for the device is imported, that code looks for a kernel among TVM's global functions. So the functions
    of an earlier plan are not to be called afterwards.
    """
    source = metal_source(executable)
    texts = re.split(r"(?=^// Function: )", source, flags=re.MULTILINE)
    names = [found[1] for text in texts if (found := re.match(r"// Function: (\w+)", text))]
    bodies = [_translate(text, name) for text, name in zip(texts[-len(names) :], names, strict=True)]
    (folder / "kernels.cpp").write_text("\n".join([PRELUDE, *(text for text, _ in bodies)]))
    library = folder / "kernels.so"
    subprocess.run(["g++", *FLAGS, "-o", str(library), str(folder / "kernels.cpp")], check=True)
    loaded = ctypes.CDLL(str(library))
    for _, kernel in bodies:
        tvm.register_global_func(kernel.name, _bind(kernel, getattr(loaded, f"run_{kernel.name}")), override=True)
    executable.mod.clear_imports()
    return executable.jit()


def call(function: Any, *arguments: Any) -> None:
    """Call a function with whole numbers and numpy arrays, which get what it wrote."""
    tensors = [tvm.runtime.tensor(item) if isinstance(item, np.ndarray) else item for item in arguments]
    function(*tensors)
    for item, tensor in zip(arguments, tensors, strict=True):
        if isinstance(item, np.ndarray):
            item[...] = tensor.numpy()


def metal_source(executable: Any) -> str:
    """All kernels in Metal's language."""
    return str(executable.mod.imports[0].inspect_source())


def _bind(kernel: Kernel, run: Any) -> Callable[..., None]:
    """A launch as TVM makes it: addresses, whole numbers, blocks by axis, threads of a block."""

    def launch(*arguments: Any) -> None:
        arrays, rest = arguments[: kernel.num_arrays], arguments[kernel.num_arrays :]
        numbers, blocks = rest[: kernel.num_numbers], rest[kernel.num_numbers : -1]
        assert len(blocks) == kernel.num_axes
        pointers = (ctypes.c_void_p * len(arrays))(*(array.value for array in arrays))
        padded = np.array([[number, 0] for number in numbers], np.int32)
        grid = np.array([*blocks, 1, 1], np.int32)
        run(pointers, ctypes.c_void_p(padded.ctypes.data), ctypes.c_void_p(grid.ctypes.data), rest[-1])

    return launch


def _translate(text: str, name: str) -> tuple[str, Kernel]:
    """One kernel as C++, with a function that runs a grid of it."""
    text = re.sub(r"#include.*|using namespace metal;", "", text).replace("(threadgroup ", "(")
    text = re.sub(r"union __TVMArgUnion \{.*?\};", "", text, flags=re.DOTALL)
    head = text[text.index(f"kernel void {name}(") :].partition(") {")[0]
    kinds = re.findall(r"device (\w+)\* \w+ \[\[", head)
    place_type = re.search(r"(uint[23]?) blockIdx", head)
    assert place_type
    has_numbers = "constant" in head
    struct = re.search(rf"struct {name}_args_t \{{(.*?)\}};", text, re.DOTALL)
    runner = RUN.format(
        args=f"{name}_args_t" if struct else "int",
        name=name,
        pointers=", ".join(f"({kind}*)buffers[{index}]" for index, kind in enumerate(kinds)),
        numbers_argument="*numbers, " if has_numbers else "",
        place=_place(place_type[1]),
    )
    numbers = len(re.findall(r"\[2\];", struct[1])) if struct else int(has_numbers)
    axes = int(place_type[1][4:] or 1)
    return text + runner, Kernel(name, len(kinds), numbers, axes)


def _place(kind: str) -> str:
    if kind == "uint":
        return "block.x, index"
    axes = ", ".join(f"block.{axis}" for axis in "xyz"[: int(kind[-1])])
    zeros = ", 0" * (int(kind[-1]) - 1)
    return f"{kind}{{{axes}}}, {kind}{{(uint)index{zeros}}}"
