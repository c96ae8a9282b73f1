"""How much of the memory's bandwidth decoding uses: bytes of weights read a token times tokens a second, as JSON.

    PYTHONPATH=server python -P tests/bench/bandwidth.py MODEL.gguf [--context 512]

Beside it, in turn and on the same threads, the kernels of `stream.py`, which only read and add up a large buffer. Which
of them is the fastest by the median is found out in rounds of their own; what that one reaches right before and right
after the steps of a round is 100%. `verify_cost` is the time of a step of k tokens
over one of a single token. Tokens are those of this folder's code, in order, so that a step finds no more of what it
needs at hand than in real decoding.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import cycle, islice
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
from heron.host.engine.tokenizer import Tokenizer
from heron.host.engine.tvm_engine import load_runner
from heron.host.models.gguf import open_gguf
from heron.settings import EngineSettings

REPEATS = 8
CHOOSING_ROUNDS = 7


@dataclass
class Times:
    """Seconds of each repetition."""

    choosing: dict[str, list[float]] = field(default_factory=dict)
    """of all streams, before the rounds"""
    stream: list[float] = field(default_factory=list)
    """of the fastest, beside steps of a single token"""
    steps: dict[int, list[float]] = field(default_factory=dict)


def main() -> None:
    arguments = parse_arguments()
    settings = EngineSettings(instruction_set=arguments.instruction_set, cache_tokens=2048)
    artefact = ensure_artefact(arguments.model, settings, lambda progress: None)
    runner, manifest = load_runner(artefact, settings), read_manifest(artefact)
    text = Text(runner, Tokenizer.from_gguf(open_gguf(arguments.model)))
    times = measure(text, build_streams(choose_threads(settings)), arguments)
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


class Text:
    """Code that is read on, as many tokens a step as are wanted."""

    def __init__(self, runner: Runner, tokenizer: Tokenizer) -> None:
        self.runner = runner
        code = "".join(path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("*.py")))
        self.tokens = cycle(tokenizer.encode(code))

    def step(self, first: int, count: int, num_logits: int) -> Callable[[], Any]:
        """What runs the next `count` tokens as if after `first` others, logits for the last of them."""
        page_size, positions = self.runner.page_size, np.arange(first, first + count, dtype=np.int32)
        pages = np.arange(-(-(first + count) // page_size), dtype=np.int32)[None]
        token_ids = np.fromiter(islice(self.tokens, count), np.int32, count)
        rows = np.arange(count - num_logits, count, dtype=np.int32)
        batch = Batch(token_ids, positions, positions, np.array([0, count], np.int32), pages, rows)
        return lambda: self.runner.run(batch)


def measure(text: Text, streams: dict[str, Callable[[], None]], arguments: argparse.Namespace) -> Times:
    """Reading and steps of each size in turn."""
    context = arguments.context
    for first in range(0, context, 256):
        text.step(first, min(256, context - first), 1)()
    times = Times({name: [] for name in streams}, steps={rows: [] for rows in arguments.rows})
    for _ in range(CHOOSING_ROUNDS):
        for name, read in streams.items():
            times.choosing[name].append(seconds([read]))
    fastest = streams[min(times.choosing, key=lambda name: statistics.median(times.choosing[name]))]
    for _ in range(arguments.rounds):
        for rows in arguments.rows:
            before = seconds([fastest])
            times.steps[rows].append(seconds([text.step(context, rows, rows) for _ in range(REPEATS)]))
            if rows == 1:
                times.stream.append((before + seconds([fastest])) / 2)
    return times


def seconds(works: list[Callable[[], Any]]) -> float:
    """Seconds that `works` take, their median."""
    times = []
    for work in works:
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def report(times: Times, weights: int) -> dict[str, Any]:
    steps = {rows: statistics.median(each) for rows, each in times.steps.items()}
    shares = [
        weights / step / (STREAM_BYTES / stream) for step, stream in zip(times.steps[1], times.stream, strict=True)
    ]
    return {
        "stream_gb_per_s": round(STREAM_BYTES / statistics.median(times.stream) / 1e9, 1),
        "by_stream_gb_per_s": {
            name: round(STREAM_BYTES / statistics.median(each) / 1e9, 1) for name, each in times.choosing.items()
        },
        "weights_mb": round(weights / 1e6, 1),
        "decode_gb_per_s": round(weights / steps[1] / 1e9, 1),
        "share_percent": round(100 * statistics.median(shares), 1),
        "share_quartiles": [round(100 * share, 1) for share in statistics.quantiles(shares, n=4)],
        "step_ms": {rows: round(step * 1e3, 2) for rows, step in steps.items()},
        "verify_cost": {rows: round(step / steps[1], 2) for rows, step in steps.items()},
    }


if __name__ == "__main__":
    main()
