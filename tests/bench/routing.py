"""Routing at a thousand developers, simulated: how often a document's keys and values are where its request goes.

python tests/bench/routing.py [--developers 1000] [--replicas 24] [--cache-tokens 65536] [--minutes 20] [--seed 0]

Developers work and rest; at work they ask for completions of a document, change it now and then, and chat at times. A
replica answers some requests at once and queues the others; it keeps the contexts used last. What a request takes is
its tokens that are not kept, and those of the answer, at the rates of our engine (`README.md`, the 0.5B on 2 cores).
Compared: any replica, the least loaded, and `heron.host.deploy.placement`, which the deployment uses. Prints JSON.
"""

import argparse
import heapq
import json
import random
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.figures import percentile
from heron.host.deploy.placement import place

PREFILL_RATE, DECODE_RATE = 1000.0, 100.0
"""Tokens a second of a replica: prompts in all, answers for each request of the four it runs at once."""
SLOTS = 4
CONTEXT_TOKENS, TYPED_TOKENS, COMPLETION_TOKENS = 1100, 12, 20
CHAT_TOKENS, CHAT_ANSWER_TOKENS, CHAT_SHARE = 1500, 150, 0.01
WORK_S, REST_S, GAP_S, STAY_S = 300.0, 900.0, 3.0, 120.0
"""Mean seconds of work, of rest, between requests at work, and at one document."""


@dataclass(frozen=True, slots=True, order=True)
class Request:
    time_s: float
    key: str
    prompt_tokens: int
    answer_tokens: int


@dataclass(slots=True)
class Replica:
    """Requests by when they end, slots by when they are free, and contexts with their tokens."""

    cache_tokens: int
    ends: list[float] = field(default_factory=list)
    slots: list[float] = field(default_factory=lambda: [0.0] * SLOTS)
    contexts: OrderedDict[str, int] = field(default_factory=OrderedDict)
    held_tokens: int = 0

    def load(self, now_s: float) -> int:
        while self.ends and self.ends[0] <= now_s:
            heapq.heappop(self.ends)
        return len(self.ends)

    def take(self, request: Request) -> tuple[bool, float]:
        """Whether the context was kept, and how long the request waited for its first token."""
        is_kept = request.key in self.contexts
        fresh = TYPED_TOKENS if is_kept else request.prompt_tokens
        self._keep(request)
        begin_s = max(request.time_s, heapq.heappop(self.slots))
        first_s = begin_s + fresh * SLOTS / PREFILL_RATE * _share(self.load(request.time_s))
        end_s = first_s + request.answer_tokens / DECODE_RATE
        heapq.heappush(self.slots, end_s)
        heapq.heappush(self.ends, end_s)
        return is_kept, first_s - request.time_s

    def _keep(self, request: Request) -> None:
        self.held_tokens += request.prompt_tokens - self.contexts.pop(request.key, 0)
        self.contexts[request.key] = request.prompt_tokens
        while self.held_tokens > self.cache_tokens:
            self.held_tokens -= self.contexts.popitem(last=False)[1]


Choose = Callable[[Request, list[Replica]], int]


def _share(load: int) -> float:
    """The part of the prefill rate's inverse that falls on a request: alone it has all of it."""
    return min(SLOTS, load + 1) / SLOTS


def requests_of(developers: int, seconds: float, seed: int) -> Iterator[Request]:
    """What all developers ask, in order of time."""
    everybody = [_developer(number, seconds, random.Random(seed * 1_000_003 + number)) for number in range(developers)]
    return heapq.merge(*everybody)


def _developer(number: int, seconds: float, chance: random.Random) -> Iterator[Request]:
    now_s = chance.uniform(-WORK_S - REST_S, 0.0)
    document = 0
    while now_s < seconds:
        rest_at = now_s + chance.expovariate(1 / WORK_S)
        leave_at = now_s
        while now_s < min(rest_at, seconds):
            if now_s >= leave_at:
                document, leave_at = document + 1, now_s + chance.expovariate(1 / STAY_S)
            now_s += chance.expovariate(1 / GAP_S)
            if now_s >= 0:
                yield _request(now_s, number, document, chance)
        now_s += chance.expovariate(1 / REST_S)


def _request(now_s: float, number: int, document: int, chance: random.Random) -> Request:
    if chance.random() < CHAT_SHARE:
        return Request(now_s, f"{number}:chat", CHAT_TOKENS, CHAT_ANSWER_TOKENS)
    return Request(now_s, f"{number}:{document}", CONTEXT_TOKENS, COMPLETION_TOKENS)


def choose_any(seed: int) -> Choose:
    chance = random.Random(seed)
    return lambda request, replicas: chance.randrange(len(replicas))


def choose_least_loaded(request: Request, replicas: list[Replica]) -> int:
    return min(range(len(replicas)), key=lambda number: replicas[number].load(request.time_s))


def choose_affine(request: Request, replicas: list[Replica]) -> int:
    loads = {str(number): replica.load(request.time_s) for number, replica in enumerate(replicas)}
    return int(place(request.key, loads)[0])


def simulate(choose: Choose, arguments: argparse.Namespace) -> dict[str, float]:
    replicas = [Replica(arguments.cache_tokens) for _ in range(arguments.replicas)]
    waits, num_kept, counts = [], 0, [0] * len(replicas)
    for request in requests_of(arguments.developers, 60 * arguments.minutes, arguments.seed):
        number = choose(request, replicas)
        is_kept, wait_s = replicas[number].take(request)
        waits.append(1000 * wait_s)
        num_kept += is_kept
        counts[number] += 1
    return {
        "requests": len(waits),
        "found_cached_percent": round(100 * num_kept / len(waits), 1),
        "first_token_ms_p50": round(percentile(waits, 50)),
        "first_token_ms_p95": round(percentile(waits, 95)),
        "first_token_ms_p99": round(percentile(waits, 99)),
        "busiest_over_mean": round(max(counts) * len(counts) / sum(counts), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--developers", type=int, default=1000)
    parser.add_argument("--replicas", type=int, default=24)
    parser.add_argument("--cache-tokens", type=int, default=65536)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    ways = {"any": choose_any(arguments.seed), "least_loaded": choose_least_loaded, "affine": choose_affine}
    found = {name: simulate(choose, arguments) for name, choose in ways.items()}
    print(json.dumps({**vars(arguments), **found}, indent=2))


if __name__ == "__main__":
    main()
