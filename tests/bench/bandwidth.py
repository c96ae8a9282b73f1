"""How much of the memory's bandwidth decoding uses: bytes of weights read a token times tokens a second, as JSON.

    PYTHONPATH=server python -P tests/bench/bandwidth.py MODEL.gguf [--context 512]

Beside it, in turn and on the same threads, the kernels of `stream.py`, which only read and add up a large buffer: what
the fastest of them, by the median, reaches in the same round is 100%. `verify_cost` is the time of a step of k tokens
over one of a single token.
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
from bench.stream import STREAM_BYTES, build_streams
from heron.host.compiler.artefact import ensure_artefact
from heron.host.compiler.manifest import read_manifest
from heron.host.compiler.target import choose_threads
from heron.host.engine.runner import Batch, Runner
from heron.host.engine.tvm_engine import load_runner
from heron.settings import EngineSettings

REPEATS = 8


@dataclass
class Times:
    """Seconds of each repetition."""

    streams: dict[str, list[float]] = field(default_factory=dict)
    steps: dict[int, list[float]] = field(default_factory=dict)


def main() -> None:
    arguments = parse_arguments()
    settings = EngineSettings(instruction_set=arguments.instruction_set, cache_tokens=2048)
    artefact = ensure_artefact(arguments.model, settings, lambda progress: None)
    runner, manifest = load_runner(artefact, settings), read_manifest(artefact)
    times = measure(runner, build_streams(choose_threads(settings)), arguments)
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


def measure(runner: Runner, streams: dict[str, Callable[[], None]], arguments: argparse.Namespace) -> Times:
    """Reading and steps of each size in turn."""
    fill_cache(runner, arguments.context)
    batches = {rows: make_batch(arguments.context, rows, rows, runner.page_size) for rows in arguments.rows}
    times = Times({name: [] for name in streams}, {rows: [] for rows in batches})
    for _ in range(arguments.rounds):
        for name, read in streams.items():
            times.streams[name].append(seconds(read, 1))
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
    best = min(times.streams.values(), key=statistics.median)
    shares = [weights / step / (STREAM_BYTES / stream) for step, stream in zip(times.steps[1], best, strict=True)]
    return {
        "stream_gb_per_s": round(STREAM_BYTES / statistics.median(best) / 1e9, 1),
        "by_stream_gb_per_s": {
            name: round(STREAM_BYTES / statistics.median(each) / 1e9, 1) for name, each in times.streams.items()
        },
        "weights_mb": round(weights / 1e6, 1),
        "decode_gb_per_s": round(weights / steps[1] / 1e9, 1),
        "share_percent": round(100 * statistics.median(shares), 1),
        "step_ms": {rows: round(step * 1e3, 2) for rows, step in steps.items()},
        "verify_cost": {rows: round(step / steps[1], 2) for rows, step in steps.items()},
    }


if __name__ == "__main__":
    main()
