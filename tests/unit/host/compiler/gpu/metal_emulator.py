"""Runs a kernel's Metal source on the CPU: compiled as C++, a block's threads as fibers, lanes in step.

Stands in for Apple's hardware to check what the kernels compute, not for its compiler or its memory model.
"""

import ctypes
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

PRELUDE = r"""
#include <immintrin.h>
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
struct Fiber { ucontext_t context; std::vector<char> stack; bool done = false, waits = false; unsigned slot[4]; };
static std::vector<Fiber> fibers;
static ucontext_t scheduler;
static int current;
static void yield() { swapcontext(&fibers[current].context, &scheduler); }
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
static void enter() { body(current); fibers[current].done = true; swapcontext(&fibers[current].context, &scheduler); }
static void run_block(int threads, void (*what)(int)) {
  body = what;
  fibers = std::vector<Fiber>(threads);
  for (auto& fiber : fibers) {
    fiber.stack.resize(STACK);
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.data();
    fiber.context.uc_stack.ss_size = STACK;
    makecontext(&fiber.context, enter, 0);
  }
  for (bool alive = true; alive;) {
    alive = false;
    bool all_wait = true;
    for (current = 0; current < threads; current++) {
      auto& fiber = fibers[current];
      if (fiber.done) continue;
      if (!fiber.waits) swapcontext(&scheduler, &fiber.context);
      alive = alive || !fiber.done;
      all_wait = all_wait && (fiber.waits || fiber.done);
    }
    if (all_wait) for (auto& fiber : fibers) fiber.waits = false;
  }
}
"""

RUN = """
static void** buffers;
static {args}* numbers;
static uint3 block;
static void thread_body(int index) {{ {name}({pointers}, {numbers_argument}{place}); }}
extern "C" void run_{name}(void** given, void* values, const int* grid, int threads) {{
  buffers = given; numbers = ({args}*)values;
  for (block.z = 0; block.z < (uint)grid[2]; block.z++)
    for (block.y = 0; block.y < (uint)grid[1]; block.y++)
      for (block.x = 0; block.x < (uint)grid[0]; block.x++) run_block(threads, thread_body);
}}
"""


@dataclass(frozen=True)
class Launch:
    """Blocks by axis, threads of a block, and the kernel's whole numbers in their order."""

    grid: tuple[int, int, int]
    threads: int
    numbers: tuple[int, ...] = ()


def build_kernel(source: str, name: str, folder: Path) -> Any:
    """The kernel `name` of a Metal source as a function `(launch, *arrays)`; arrays in the order of its arguments."""
    entry = f"{name}_kernel"
    library = folder / f"{name}.so"
    (folder / f"{name}.cpp").write_text(PRELUDE + _translate(source, entry))
    flags = ["-shared", "-fPIC", "-O1", "-w", "-std=c++17", "-mf16c", "-Dkernel=static", "-Ddevice=", "-Dthread="]
    flags += ["-Dthreadgroup=static", "-Dconstant=const"]
    subprocess.run(["g++", *flags, "-o", str(library), str(folder / f"{name}.cpp")], check=True)
    function = getattr(ctypes.CDLL(str(library)), f"run_{entry}")

    def run(launch: Launch, *arrays: np.ndarray) -> None:
        pointers = (ctypes.c_void_p * len(arrays))(*(array.ctypes.data for array in arrays))
        numbers = np.array([[number, 0] for number in launch.numbers], np.int32)
        function(pointers, ctypes.c_void_p(numbers.ctypes.data), np.array(launch.grid, np.int32).ctypes, launch.threads)

    return run


def _translate(source: str, entry: str) -> str:
    """One kernel with what it needs, and a function that runs a grid of it."""
    start = source.index(f"struct {entry}_args_t") if f"struct {entry}_args_t" in source else source.index(entry)
    start = source.rindex("// Function:", 0, start) if "// Function:" in source[:start] else start
    text = source[start:].partition("\n// Function:")[0]
    text = re.sub(r"#include.*|using namespace metal;", "", text).replace("(threadgroup ", "(")
    head = text[text.index(f"kernel void {entry}(") :].partition(") {")[0]
    types = re.findall(r"device (\w+)\* \w+ \[\[", head)
    place_type = re.search(r"(uint[23]?) blockIdx", head)
    assert place_type
    return text + RUN.format(
        args=f"{entry}_args_t" if "constant" in head else "int",
        name=entry,
        pointers=", ".join(f"({kind}*)buffers[{index}]" for index, kind in enumerate(types)),
        numbers_argument="*numbers, " if "constant" in head else "",
        place=_place(place_type[1]),
    )


def _place(kind: str) -> str:
    if kind == "uint":
        return "block.x, index"
    axes = ", ".join(f"block.{axis}" for axis in "xyz"[: int(kind[-1])])
    zeros = ", 0" * (int(kind[-1]) - 1)
    return f"{kind}{{{axes}}}, {kind}{{(uint)index{zeros}}}"
