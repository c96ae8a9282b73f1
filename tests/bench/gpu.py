"""Prefill, decode and verify of the CUDA engine, and the share of the card's bandwidth that decode reaches.

python tests/bench/gpu.py MODEL.gguf [--library PATH] [--rounds N]

Without --library the kernels are compiled first. `device_ms` is a step on the device; `run_ms` is what the step loop
waits for, page-locked copies and logits included. Medians; the same tokens each round, weights far beyond the caches.
Prints JSON.
"""

import os
import sys

# This folder holds a `typing.py`, which must not hide Python's own.
sys.path.pop(0)

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from heron.host.compiler.gpu.cuda_device import CudaDevice, load_functions
from heron.host.engine.gpu_runner import GpuRunner
from heron.host.engine.runner import Batch
from heron.host.models.gguf import open_gguf

PREFILL_TOKENS = (64, 128, 256, 512)
CONTEXTS = (64, 1000, 2000)
VERIFY_TOKENS = (2, 4, 8)
CACHE_PAGES = 256
COPY_BYTES = 1 << 30


def make_batch(count: int, first: int, num_rows: int) -> Batch:
    """`count` tokens of one sequence from position `first` on, logits of the last `num_rows`."""
    token_ids = np.random.default_rng(first).integers(0, 30000, count)
    positions = np.arange(first, first + count)
    table = np.arange(-(-(first + count) // 16))[None]
    arrays = (token_ids, positions, positions, np.array([0, count]), table, np.arange(count - num_rows, count))
    return Batch(*(array.astype(np.int32) for array in arrays))


def median_ms(action: Callable[[], object], rounds: int) -> float:
    """Median wall time after two rounds of warming up."""
    walls = []
    for index in range(rounds + 2):
        began = time.perf_counter()
        action()
        walls += [time.perf_counter() - began] if index >= 2 else []
    return statistics.median(walls) * 1000


def measure_step(runner: GpuRunner, batch: Batch, rounds: int) -> dict[str, float]:
    def launch() -> None:
        runner.launch(batch)
        runner.synchronize()

    return {
        "device_ms": round(median_ms(launch, rounds), 3),
        "run_ms": round(median_ms(lambda: runner.run(batch), rounds), 3),
    }


def measure_bandwidth(rounds: int) -> float:
    """GB/s of a copy within the device's memory, bytes read and written."""
    device = CudaDevice()
    source, target = (device.zeros((COPY_BYTES,), "int8") for _ in range(2))

    def copy() -> None:
        device.duplicate(target, source, COPY_BYTES)
        device.synchronize()

    return 2 * COPY_BYTES / median_ms(copy, rounds) / 1e6


def measure(runner: GpuRunner, rounds: int) -> dict[str, Any]:
    prefill = {count: measure_step(runner, make_batch(count, 0, 1), rounds) for count in PREFILL_TOKENS}
    for first in range(0, 2048, 512):
        runner.run(make_batch(512, first, 1))
    decode = {context: measure_step(runner, make_batch(1, context, 1), rounds) for context in CONTEXTS}
    verify = {count: measure_step(runner, make_batch(count, 1000, count), rounds) for count in VERIFY_TOKENS}
    bandwidth = measure_bandwidth(rounds)
    for count, step in prefill.items():
        step["tokens_per_s"] = round(count / step["run_ms"] * 1000)
    for step in decode.values():
        step["tokens_per_s"] = round(1000 / step["run_ms"])
        step["share_of_bandwidth"] = round(runner.linear_bytes / step["device_ms"] / 1e6 / bandwidth, 3)
    return {
        "weights_mb_per_token": round(runner.linear_bytes / 1e6, 1),
        "copy_gb_per_s": round(bandwidth),
        "prefill": prefill,
        "decode_at_context": decode,
        "verify_at_1000": verify,
    }


def compile_library(model: Path, folder: Path) -> Path:
    from heron.host.compiler.architectures import read_config
    from heron.host.compiler.gpu.kernels import compile_kernels
    from heron.host.compiler.gpu.model import plan_kernels

    os.environ.setdefault("TVM_CUDA_COMPILE_MODE", "nvcc")
    file = open_gguf(model)
    compile_kernels(plan_kernels(file, read_config(file))).export_library(str(folder / "library.so"))
    return folder / "library.so"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--library", type=Path)
    parser.add_argument("--rounds", type=int, default=50)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        library = arguments.library or compile_library(arguments.model, Path(folder))
        runner = GpuRunner(open_gguf(arguments.model), load_functions(str(library)), CACHE_PAGES, CudaDevice())
        found = measure(runner, arguments.rounds)
        runner.close()
    json.dump(
        {"bench": "gpu", "model": arguments.model.stem, "rounds": arguments.rounds, **found}, sys.stdout, indent=1
    )


if __name__ == "__main__":
    main()
