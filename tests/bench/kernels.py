"""Speed of the linear kernels: GB/s of weights and GMAC/s for each format and number of rows, as JSON.

    PYTHONPATH=server python -P tests/bench/kernels.py --instruction-set avx512-vnni --threads 2

Formats and rows take turns in every round, so a busy neighbour slows all alike; figures are medians over the rounds.
Weights are copied often enough that they come from memory, not from a cache. `copy_gb_per_s` is numpy's copy of 200 MB
by one thread, read and written.
"""

import argparse
import dataclasses
import json
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

FORMATS = ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K", "F16", "F32")
ROWS = (1, 2, 4, 5, 8, 12, 96)
COLUMNS, INNER = 9728, 1024  # gate and up of the 0.5B model, K rounded up to the K-formats' 256
COLD_BYTES = 128_000_000


@dataclass(frozen=True)
class Case:
    """One kernel with its arguments; `weights` are copies to go through in turn."""

    format: str
    rows: int
    run: Callable[..., None]
    weights: list[Any]
    arguments: list[Any]

    def measure(self, round_index: int) -> float:
        """Seconds a call takes."""
        calls = len(self.weights) if self.rows < 64 else 1
        start = time.perf_counter()
        for call in range(calls):
            self.run(self.weights[(round_index + call) % len(self.weights)], *self.arguments)
        return (time.perf_counter() - start) / calls

    def report(self, seconds: list[float]) -> dict[str, Any]:
        """Median figures of a case."""
        median = statistics.median(seconds)
        size = int(np.prod(self.weights[0].shape))
        return {
            "format": self.format,
            "rows": self.rows,
            "ms": round(median * 1e3, 4),
            "best_ms": round(min(seconds) * 1e3, 4),
            "gb_per_s": round(size / median / 1e9, 2),
            "gmac_per_s": round(self.rows * COLUMNS * INNER / median / 1e9, 1),
        }


def main() -> None:
    """Build, measure, print."""
    arguments = parse_arguments()
    os.environ["TVM_NUM_THREADS"] = str(arguments.threads)
    cases = [case for name in arguments.formats for case in build_cases(name, arguments)]
    seconds: dict[int, list[float]] = {index: [] for index in range(len(cases))}
    copies = []
    for round_index in range(arguments.rounds):
        copies.append(measure_copy())
        for index, case in enumerate(cases):
            seconds[index].append(case.measure(round_index))
    result = {
        "instruction_set": choose_cpu(arguments).instruction_set,
        "threads": arguments.threads,
        "columns": COLUMNS,
        "inner": INNER,
        "copy_gb_per_s": round(statistics.median(copies), 2),
        "cases": [case.report(seconds[index]) for index, case in enumerate(cases)],
    }
    print(json.dumps(result, indent=1))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instruction-set", default="auto", choices=("auto", "avx512-vnni", "avx2", "portable"))
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--formats", nargs="+", default=FORMATS, choices=FORMATS)
    parser.add_argument("--rows", nargs="+", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=9)
    return parser.parse_args()


def choose_cpu(arguments: argparse.Namespace) -> Any:
    """The processor to compile for."""
    from heron.host.compiler.target import choose_target
    from heron.settings import EngineSettings

    return choose_target(EngineSettings(instruction_set=arguments.instruction_set))


def build_cases(name: str, arguments: argparse.Namespace) -> list[Case]:
    """The cases of one format; weights are random bytes, for speed does not depend on their values."""
    import tvm

    from heron.host.compiler.kernels.formats import Segment, find_format
    from heron.host.compiler.kernels.isa import instruction_set
    from heron.host.compiler.kernels.linear import LinearShape, build_linear

    target = choose_cpu(arguments)
    isa = instruction_set(target.instruction_set)
    shape = LinearShape((Segment(find_format(name), COLUMNS),), INNER, "none", single_row=False)
    shapes = {"gemm": shape, "gemv": dataclasses.replace(shape, single_row=True)}
    functions = {key: build_linear(each, isa, arguments.threads, key) for key, each in shapes.items()}
    library = tvm.compile(tvm.IRModule(functions), target=tvm.target.Target(target.tvm_attributes())).jit()
    packed = np.random.default_rng(0).integers(0, 60, shape.segments[0].format.packed_shape(COLUMNS, INNER), np.uint8)
    weights = [tvm.runtime.tensor(packed) for _ in range(COLD_BYTES // packed.nbytes + 1)]
    return [
        Case(name, rows, library["gemv" if rows == 1 else "gemm"], weights, make_operands(rows))
        for rows in arguments.rows
    ]


def make_operands(rows: int) -> list[Any]:
    """Activations of that many rows, and the output."""
    import tvm

    from heron.host.compiler.kernels.quantized_rows import SPARE_ROWS, RowLayout

    words = (rows if rows == 1 else rows + SPARE_ROWS, RowLayout(INNER).row_words)
    activation = np.random.default_rng(rows).integers(0, 1 << 24, words, dtype=np.int32)
    return [tvm.runtime.tensor(activation), tvm.runtime.tensor(np.ones((rows, COLUMNS), np.float32))]


def measure_copy() -> float:
    """GB/s of a copy by one thread, reading and writing counted."""
    source = np.ones(25_000_000, np.float64)
    target = np.empty_like(source)
    np.copyto(target, source)
    start = time.perf_counter()
    np.copyto(target, source)
    return 2 * source.nbytes / (time.perf_counter() - start) / 1e9


if __name__ == "__main__":
    main()
