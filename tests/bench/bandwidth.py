"""How much of the memory's bandwidth decoding uses: bytes of weights read a token times tokens a second, as JSON.

    PYTHONPATH=server python -P tests/bench/bandwidth.py MODEL.gguf [--context 512]

Beside it, in turn and on the same threads, a kernel that only reads and adds up a large buffer, built as ours are: what
it reaches is 100%. `verify_cost` is the time of a step of k tokens over one of a single token.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.figures import describe_machine
from heron.host.compiler.artefact import ensure_artefact
from heron.host.compiler.manifest import read_manifest
from heron.host.compiler.target import choose_target, choose_threads
from heron.host.engine.runner import Batch, Runner
from heron.host.engine.tvm_engine import load_runner
from heron.settings import EngineSettings

STREAM_BYTES = 512 << 20
LINE = 256  # bytes a step of the reading kernel
PREFETCH_BYTES = 8192
REPEATS = 8


@dataclass
class Times:
    """Seconds of each repetition."""

    stream: list[float] = field(default_factory=list)
    steps: dict[int, list[float]] = field(default_factory=dict)


def main() -> None:
    arguments = parse_arguments()
    settings = EngineSettings(instruction_set=arguments.instruction_set, cache_tokens=2048)
    artefact = ensure_artefact(arguments.model, settings, lambda progress: None)
    manifest, read_all = read_manifest(artefact), build_stream(choose_threads(settings))
    times = measure(load_runner(artefact, settings), read_all, arguments)
    weights = sum(int(np.prod(entry.shape)) * np.dtype(entry.dtype).itemsize for entry in manifest.parameters)
    print(json.dumps({**describe_machine(), "model": arguments.model.stem, **report(times, weights)}, indent=1))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--instruction-set", default="auto")
    parser.add_argument("--context", type=int, default=512)
    parser.add_argument("--rows", nargs="+", type=int, default=(1, 2, 4, 5, 8))
    parser.add_argument("--rounds", type=int, default=11)
    return parser.parse_args()


def build_stream(threads: int) -> Callable[[], None]:
    """A function that reads `STREAM_BYTES` once, each thread its share."""
    import tvm
    from tvm.script.ir_builder import IRBuilder
    from tvm.tirx.script import builder as T

    from heron.host.compiler.kernels.vector import constant, load, prefetch, store

    words, lanes = STREAM_BYTES // 4, 16
    share, step = words // threads, LINE // 4
    with IRBuilder() as builder, T.prim_func(s_tir=True):
        T.func_name("stream")
        T.func_attr({"tirx.noalias": True, "tirx.is_scheduled": True})
        source_handle, target_handle = T.arg("source", T.handle()), T.arg("target", T.handle())
        source = T.match_buffer(source_handle, (words,), "int32")
        target = T.match_buffer(target_handle, (threads, step), "int32")
        with T.sblock("root"):
            T.reads()
            T.writes()
            with T.parallel(0, threads) as thread:
                sums = T.alloc_buffer((step,), "int32", scope="global")
                for lane in range(0, step, lanes):
                    store(sums, constant(0, "int32", lanes), [], lane, lanes)
                with T.serial(0, share // step) as index:
                    first = T.Bind(thread * share + index * step)
                    for lane in range(0, step, lanes):
                        prefetch(source, [first + lane + PREFETCH_BYTES // 4])
                        value = load(source, [], first + lane, lanes)
                        store(sums, load(sums, [], lane, lanes) + value, [], lane, lanes)
                for lane in range(0, step, lanes):
                    store(target, load(sums, [], lane, lanes), [thread], lane, lanes)
    target_of_machine = tvm.target.Target(choose_target(EngineSettings()).tvm_attributes())
    library = tvm.compile(tvm.IRModule({"stream": builder.get()}), target=target_of_machine).jit()
    arrays = [tvm.runtime.tensor(np.ones(shape, np.int32)) for shape in ((words,), (threads, step))]
    return lambda: library["stream"](*arrays)


def measure(runner: Runner, read_all: Callable[[], None], arguments: argparse.Namespace) -> Times:
    """Reading and steps of each size in turn."""
    fill_cache(runner, arguments.context)
    batches = {rows: make_batch(arguments.context, rows, rows, runner.page_size) for rows in arguments.rows}
    times = Times(steps={rows: [] for rows in batches})
    for _ in range(arguments.rounds):
        times.stream.append(seconds(read_all, 1))
        for rows, batch in batches.items():
            times.steps[rows].append(seconds(lambda batch=batch: runner.run(batch), REPEATS))
    return times


def fill_cache(runner: Runner, context: int) -> None:
    for first in range(0, context, 256):
        runner.run(make_batch(first, min(256, context - first), 1, runner.page_size))


def make_batch(first: int, count: int, num_logits: int, page_size: int) -> Batch:
    """`count` tokens of one sequence after `first` others, logits for the last of them."""
    positions = np.arange(first, first + count, dtype=np.int32)
    pages = np.arange(-(-(first + count) // page_size), dtype=np.int32)[None]
    rows = np.arange(count - num_logits, count, dtype=np.int32)
    token_ids = (positions * 7919 % 20000).astype(np.int32)
    return Batch(token_ids, positions, positions, np.array([0, count], np.int32), pages, rows)


def seconds(work: Callable[[], Any], repeats: int) -> float:
    """Seconds of one of `repeats` calls."""
    began = time.perf_counter()
    for _ in range(repeats):
        work()
    return (time.perf_counter() - began) / repeats


def report(times: Times, weights: int) -> dict[str, Any]:
    steps = {rows: statistics.median(each) for rows, each in times.steps.items()}
    pairs = zip(times.steps[1], times.stream, strict=True)
    shares = [weights / step / (STREAM_BYTES / stream) for step, stream in pairs]
    return {
        "stream_gb_per_s": round(STREAM_BYTES / statistics.median(times.stream) / 1e9, 1),
        "weights_mb": round(weights / 1e6, 1),
        "decode_gb_per_s": round(weights / steps[1] / 1e9, 1),
        "share_percent": round(100 * statistics.median(shares), 1),
        "step_ms": {rows: round(step * 1e3, 2) for rows, step in steps.items()},
        "verify_cost": {rows: round(step / steps[1], 2) for rows, step in steps.items()},
    }


if __name__ == "__main__":
    main()
