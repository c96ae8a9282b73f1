"""Random requests, cancels and disconnects against a real `heron host` for as long as told; then: is it as before?

python tests/bench/soak.py --minutes N [--model NAME|PATH] [--threads N] [--clients N] [--seed N] [--without KIND]

Fails (status 1) if a request hangs or ends in an error that nobody asked for, if pages or requests are left when all
clients have gone, or if the worker's or the host's memory moved by more than 2% after the warm-up. Prints JSON; a line
a minute goes to stderr.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.hosts import CHECKOUT, HostOptions, running_host
from bench.traffic import KINDS, Outcome, draw_call, run_call

SAMPLE_S = 2.0
SETTLE_S = 30.0
FLAT_PERCENT = 2.0
_WARM_UP_SHARE = 0.25
_PAUSE_S = 0.2


@dataclass(frozen=True, slots=True)
class SoakOptions:
    """`warm_up_s` is not counted when memory is compared."""

    seconds: float
    clients: int = 12
    seed: int = 0
    warm_up_s: float = 0.0
    kinds: tuple[str, ...] = KINDS


@dataclass(slots=True)
class Record:
    """What came of the calls, and what the host said of itself meanwhile."""

    outcomes: list[Outcome] = field(default_factory=list)
    samples: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    left_over: dict[str, float] = field(default_factory=dict)


async def soak(http: httpx.AsyncClient, options: SoakOptions, tell: Callable[[str], None]) -> Record:
    """Run random calls until the time is over, then wait until the host is at rest."""
    record = Record()
    watching = asyncio.create_task(_watch(http, record, tell))
    end_s = time.monotonic() + options.seconds
    try:
        await asyncio.gather(*(_act(http, options, number, end_s, record) for number in range(options.clients)))
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    record.left_over = await _settle(http)
    return record


def judge(record: Record, options: SoakOptions) -> list[str]:
    """What is wrong, nothing if all is well."""
    problems = judge_rest(record)
    for name in ("resident_bytes", "host_resident_bytes"):
        drift = drift_percent(record, name, options.warm_up_s)
        if abs(drift) > FLAT_PERCENT:
            problems.append(f"{name} moved by {drift:.1f}%")
    return problems


def judge_rest(record: Record) -> list[str]:
    """What is wrong apart from memory, which takes minutes to come to rest."""
    problems = [f"{outcome.kind}: {outcome.ending}" for outcome in record.outcomes if outcome.ending.startswith("bad")]
    problems += [f"{name} is {value:g} when all have gone" for name, value in record.left_over.items() if value]
    if not any(outcome.ending == "done" for outcome in record.outcomes):
        problems.append("no request was answered")
    crashes = record.samples[-1][1]["worker_crashes_total"] if record.samples else 0
    return problems + ([f"the worker crashed {crashes:g} times"] if crashes else [])


def drift_percent(record: Record, name: str, warm_up_s: float) -> float:
    """How far the median of the last third lies above that of the first third after the warm-up."""
    values = [sample[name] for at_s, sample in record.samples if at_s >= warm_up_s]
    third = len(values) // 3
    if not third:
        return 0.0
    first, last = statistics.median(values[:third]), statistics.median(values[-third:])
    return 100 * (last / first - 1)


async def _act(http: httpx.AsyncClient, options: SoakOptions, number: int, end_s: float, record: Record) -> None:
    """One client: calls one after the other, now and then a burst, now and then a rest."""
    rng = random.Random(options.seed * 1000 + number)
    while time.monotonic() < end_s:
        burst = rng.choice((1, 1, 1, 1, 6))
        calls = [draw_call(rng, options.clients, options.kinds) for _ in range(burst)]
        record.outcomes += await asyncio.gather(*(run_call(http, call) for call in calls))
        await asyncio.sleep(rng.random() * _PAUSE_S)


async def _watch(http: httpx.AsyncClient, record: Record, tell: Callable[[str], None]) -> None:
    began = told = time.monotonic()
    while True:
        stats = await read_stats(http)
        now = time.monotonic()
        record.samples.append((now - began, stats))
        if now - told >= 60:
            told = now
            tell(_line(now - began, record, stats))
        await asyncio.sleep(SAMPLE_S)


def _line(at_s: float, record: Record, stats: dict[str, float]) -> str:
    num_bad = sum(outcome.ending.startswith("bad") for outcome in record.outcomes)
    worker, host = stats["resident_bytes"] / 1e6, stats["host_resident_bytes"] / 1e6
    return (
        f"{at_s / 60:.1f} min: {len(record.outcomes)} requests, {num_bad} bad, "
        f"worker {worker:.1f} MB, host {host:.1f} MB, "
        f"{stats['used_pages']:g} of {stats['pages']:g} pages in use, {stats['waiting_requests']:g} waiting, "
        f"{stats['preemptions_total']:g} pre-empted, {stats['pinned_pages']:g} pinned"
    )


async def read_stats(http: httpx.AsyncClient) -> dict[str, float]:
    body = (await http.get("/v1/stats")).json()
    stats: dict[str, float] = body["engine"]
    return stats | {"host_resident_bytes": body["host"]["resident_bytes"]}


async def _settle(http: httpx.AsyncClient) -> dict[str, float]:
    """What is left in use; the host gets some time to notice that all have gone."""
    deadline = time.monotonic() + SETTLE_S
    while True:
        stats = await read_stats(http)
        left = {name: stats[name] for name in ("used_pages", "running_requests", "waiting_requests")}
        if not any(left.values()) or time.monotonic() > deadline:
            return left
        await asyncio.sleep(0.05)


def report(record: Record, options: SoakOptions) -> dict[str, Any]:
    seconds = sorted(outcome.seconds for outcome in record.outcomes if outcome.ending == "done")
    last = record.samples[-1][1]
    names = ("steps_total", "prefilled_tokens_total", "decoded_tokens_total", "preemptions_total", "failed_steps_total")
    return {
        "minutes": options.seconds / 60,
        "seed": options.seed,
        "requests": len(record.outcomes),
        "endings": Counter(f"{outcome.kind}: {outcome.ending[:40]}" for outcome in record.outcomes),
        "answer_s": {"p50": seconds[len(seconds) // 2], "p95": seconds[int(len(seconds) * 0.95)]} if seconds else {},
        "engine": {name: last[name] for name in names},
        "memory_mb": {
            name: [round(sample[name] / 1e6, 1) for _, sample in record.samples[:: max(1, len(record.samples) // 24)]]
            for name in ("resident_bytes", "host_resident_bytes")
        },
        "drift_percent": {
            name: round(drift_percent(record, name, options.warm_up_s), 2)
            for name in ("resident_bytes", "host_resident_bytes")
        },
        "left_over": record.left_over,
        "problems": judge(record, options)[:20],
    }


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--model", default="smollm2-135m-instruct")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--clients", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--store", type=Path, default=CHECKOUT / ".heron", help="home whose models are used")
    parser.add_argument("--without", nargs="*", default=[], choices=KINDS, help="kinds of requests to leave out")
    arguments = parser.parse_args()
    seconds = arguments.minutes * 60
    kinds = tuple(kind for kind in KINDS if kind not in arguments.without)
    options = SoakOptions(seconds, arguments.clients, arguments.seed, _WARM_UP_SHARE * seconds, kinds)
    with running_host(
        HostOptions(arguments.model, arguments.threads, "cache_tokens = 4096\n", arguments.store)
    ) as host:
        async with host.client() as http:
            record = await soak(http, options, lambda line: print(line, file=sys.stderr, flush=True))
    found = report(record, options)
    print(json.dumps(found, indent=1))
    return 1 if found["problems"] else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
