"""Streams side by side through a real `heron host`: do four share the work of one, does a chat slow completions down?

python tests/bench/concurrency.py [--model NAME|PATH] [--threads N] [--rounds N] [--speculation auto]

In each round, in an order that alternates: one stream; four at once; completions as one types, on an idle host; the
same beside a chat that streams. Medians over the rounds; percentiles over all completions. Prints JSON.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from inspect import getsource
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.figures import describe_machine, percentile
from bench.hosts import CHECKOUT, HostOptions, running_host
from heron.wire import CLIENT_HEADER

STREAMS = 4
STREAM_TOKENS = 96
KEYS = 16
KEY_PAUSE_S = 0.2
_ENDLESS = {"151643": -100, "151645": -100, "0": -100, "2": -100}
"""Biases against the tokens that would end an answer of the Qwen2 and SmolLM2 models early."""
_CODE = getsource(argparse)
_QUESTIONS = (
    "Explain how a hash table works.",
    "Describe the life of a honey bee.",
    "What is a compiler, and what are its parts?",
    "Tell me how bread is baked, step by step.",
    "How does a bicycle stay upright?",
)


@dataclass(slots=True)
class Flow:
    """When each token of a stream came; `begun` is set with the first."""

    times_s: list[float] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, num_tokens: int) -> None:
        """So many tokens are here now."""
        self.times_s += [time.monotonic()] * (num_tokens - len(self.times_s))
        if num_tokens:
            self.begun.set()

    def rate(self, begin_s: float, end_s: float) -> float:
        return sum(begin_s < at_s <= end_s for at_s in self.times_s) / (end_s - begin_s)


@dataclass(slots=True)
class Round:
    """Tokens a second, and milliseconds of each completion."""

    one_rate: float = 0.0
    four_rate: float = 0.0
    chat_rate: float = 0.0
    idle_ms: list[float] = field(default_factory=list)
    beside_ms: list[float] = field(default_factory=list)


class Bench:
    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._num_asked = 0

    async def run_round(self, is_reversed: bool) -> Round:
        found = Round()
        parts: list[Callable[[Round], Awaitable[None]]] = [self._one, self._four, self._idle, self._beside]
        for part in parts[::-1] if is_reversed else parts:
            await part(found)
            await asyncio.sleep(0.2)
        return found

    async def _one(self, found: Round) -> None:
        flow = await self._stream(0, STREAM_TOKENS, Flow())
        found.one_rate = flow.rate(flow.times_s[0], flow.times_s[-1])

    async def _four(self, found: Round) -> None:
        flows = await asyncio.gather(*(self._stream(number, STREAM_TOKENS, Flow()) for number in range(1, STREAMS + 1)))
        begin_s, end_s = max(flow.times_s[0] for flow in flows), min(flow.times_s[-1] for flow in flows)
        found.four_rate = sum(flow.rate(begin_s, end_s) for flow in flows)

    async def _idle(self, found: Round) -> None:
        found.idle_ms = await self._type()

    async def _beside(self, found: Round) -> None:
        flow = Flow()
        chat = asyncio.create_task(self._stream(0, 2000, flow))
        await flow.begun.wait()
        begin_s = time.monotonic()
        found.beside_ms = await self._type()
        found.chat_rate = flow.rate(begin_s, time.monotonic())
        chat.cancel()
        await asyncio.gather(chat, return_exceptions=True)

    async def _type(self) -> list[float]:
        """Milliseconds of completions while code is typed, four letters between them; the first warms up."""
        self._num_asked += 1
        start = 200 * self._num_asked
        text, suffix = _CODE[start : start + 3500], _CODE[start + 3600 : start + 3900]
        times_ms = []
        for key in range(KEYS + 1):
            began = time.monotonic()
            typed = _CODE[start + 3500 : start + 3500 + 4 * key]
            body = {"prompt": text + typed, "suffix": suffix, "max_tokens": 24, "temperature": 0.0, "stop": ["\n"]}
            response = await self._http.post("/v1/completions", json=body, headers={CLIENT_HEADER: "editor"})
            response.raise_for_status()
            times_ms.append(1000 * (time.monotonic() - began))
            await asyncio.sleep(KEY_PAUSE_S)
        return times_ms[1:]

    async def _stream(self, number: int, max_tokens: int, flow: Flow) -> Flow:
        question = {"role": "user", "content": _QUESTIONS[number]}
        body = {"messages": [question], "max_tokens": max_tokens, "temperature": 0.0, "logit_bias": _ENDLESS}
        usage = {"stream": True, "stream_options": {"include_usage": True, "continuous_usage_stats": True}}
        headers = {CLIENT_HEADER: f"chat-{number}"}
        async with self._http.stream("POST", "/v1/chat/completions", json=body | usage, headers=headers) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if line.startswith("data: {"):
                    flow.note((json.loads(line[6:])["usage"] or {}).get("completion_tokens", 0))
        return flow


def report(rounds: list[Round]) -> dict[str, Any]:
    idle = [ms for found in rounds for ms in found.idle_ms]
    beside = [ms for found in rounds for ms in found.beside_ms]
    middle = statistics.median
    return {
        "one_stream_tokens_per_s": round(middle(found.one_rate for found in rounds), 1),
        "four_streams_tokens_per_s": round(middle(found.four_rate for found in rounds), 1),
        "four_to_one": round(middle(found.four_rate / found.one_rate for found in rounds), 2),
        "completion_idle_ms": _percentiles(idle),
        "completion_beside_chat_ms": _percentiles(beside),
        "completion_p95_beside_to_idle": round(percentile(beside, 95) / percentile(idle, 95), 2),
        "completion_p50_beside_to_idle": round(percentile(beside, 50) / percentile(idle, 50), 2),
        "chat_tokens_per_s_beside_completions": round(middle(found.chat_rate for found in rounds), 1),
        "chat_speed_kept": round(middle(found.chat_rate / found.one_rate for found in rounds), 2),
    }


def _percentiles(values: list[float]) -> dict[str, float]:
    return {"p50": round(percentile(values, 50), 1), "p95": round(percentile(values, 95), 1)}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b-instruct")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--speculation", choices=("auto", "off"), default="off")
    parser.add_argument("--store", type=Path, default=CHECKOUT / ".heron", help="home whose models are used")
    arguments = parser.parse_args()
    machine = describe_machine()
    engine = f'speculation = "{arguments.speculation}"\n'
    with running_host(HostOptions(arguments.model, arguments.threads, engine, arguments.store)) as host:
        async with host.client() as http:
            bench = Bench(http)
            await bench.run_round(False)
            rounds = [await bench.run_round(number % 2 == 1) for number in range(arguments.rounds)]
    settings = {"model": arguments.model, "rounds": arguments.rounds, "speculation": arguments.speculation}
    print(json.dumps({"machine": machine, "settings": settings} | report(rounds), indent=1))


if __name__ == "__main__":
    asyncio.run(main())
