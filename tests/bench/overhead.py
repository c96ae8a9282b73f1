"""What the host costs: requests through `heron host` against the same engine called in this process.

python tests/bench/overhead.py [--model NAME] [--threads N] [--requests 200] [--rounds 3] [--store HOME]

*request*: one token of an answer to a cached prompt, by HTTP over the Unix socket with the client `heron lsp` uses, and
by `generate` here, in blocks and in turn: both meet the same machine. *streams*: tokens a second of four answers at
once, as server-sent events and as deltas. Both engines are loaded, one works at a time. Prints JSON.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.figures import describe_machine, median_of_ratios, percentile, rounded
from bench.hosts import CHECKOUT, HostOptions, running_host
from heron.host.engine.engine import Engine
from heron.host.engine.load import load_engine
from heron.settings import EngineSettings, ModelSettings, Settings
from heron.wire import GenerateRequest, Sampling, TextPrompt

PROMPT = "def fibonacci(n):\n    "
BLOCK = 20
"""Requests in a row of one side."""
STREAMS, STREAM_TOKENS = 4, 96
BIASES = {"151643": -100.0, "151645": -100.0, "0": -100.0, "2": -100.0}
"""Against the tokens that would end an answer of the Qwen2 and SmolLM2 models early."""
_BIASES = tuple((int(token_id), bias) for token_id, bias in BIASES.items())


async def ask_engine(engine: Engine, prompt: str, max_tokens: int, number: int) -> int:
    """One answer of the engine here; its tokens."""
    sampling = Sampling(max_tokens, logit_bias=_BIASES)
    request = GenerateRequest(f"r{number}", TextPrompt(prompt), sampling, client=str(number))
    async with aclosing(engine.generate(request)) as deltas:
        return sum([len(delta.token_ids) async for delta in deltas])


async def ask_host(http: httpx.AsyncClient, prompt: str, max_tokens: int, number: int) -> int:
    """The same of the host's, as a stream."""
    body = {"prompt": prompt, "max_tokens": max_tokens, "temperature": 0, "logit_bias": BIASES, "user": str(number)}
    options = {"stream": True, "stream_options": {"include_usage": True}}
    count = 0
    async with http.stream("POST", "/v1/completions", json=body | options) as answer:
        async for line in answer.aiter_lines():
            if '"usage":{' in line:
                count = json.loads(line.removeprefix("data: "))["usage"]["completion_tokens"]
    return count


async def time_requests(engine: Engine, http: httpx.AsyncClient, count: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each request here and through the host."""
    sides: list[tuple[Any, Any, list[float]]] = [(ask_engine, engine, []), (ask_host, http, [])]
    for block in range(count // BLOCK):
        for ask, side, times_ms in sides if block % 2 else sides[::-1]:
            for number in range(BLOCK + 2):
                began = time.perf_counter()
                await ask(side, PROMPT, 1, number)
                if number >= 2:  # the first ones find the threads of the other engine still awake
                    times_ms.append(1000 * (time.perf_counter() - began))
    return sides[0][2], sides[1][2]


async def time_streams(ask: Any, side: Any) -> float:
    """Tokens a second of four streams at once."""
    began = time.perf_counter()
    prompts = [f"# File {number}\n{PROMPT}" for number in range(STREAMS)]
    asks = (ask(side, prompt, STREAM_TOKENS, number) for number, prompt in enumerate(prompts))
    counts = await asyncio.gather(*asks)
    return sum(counts) / (time.perf_counter() - began)


async def run(arguments: argparse.Namespace, engine: Engine, http: httpx.AsyncClient) -> dict[str, Any]:
    here_ms, host_ms = await time_requests(engine, http, arguments.requests)
    sides: list[tuple[Any, Any, list[float]]] = [(ask_engine, engine, []), (ask_host, http, [])]
    for number in range(arguments.rounds + 1):
        for ask, side, rates in sides if number % 2 else sides[::-1]:
            rates.append(await time_streams(ask, side))
    here, host = (rates[1:] for _, _, rates in sides)
    return {
        **describe_machine(),
        "request_ms": {
            "engine_p50": round(statistics.median(here_ms), 2),
            "host_p50": round(statistics.median(host_ms), 2),
            "overhead_p50": round(statistics.median(host_ms) - statistics.median(here_ms), 2),
            "host_p95": round(percentile(host_ms, 95), 2),
        },
        "four_streams_tokens_a_second": {
            "engine": rounded(here),
            "host": rounded(host),
            "ratio": round(median_of_ratios(host, here), 3),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b-instruct")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--store", type=Path, default=CHECKOUT / ".heron", help="home whose models are used")
    arguments = parser.parse_args()
    os.environ["HERON_HOME"] = str(arguments.store)
    engine_settings = EngineSettings(threads=arguments.threads, speculation="off")
    settings = Settings(model=ModelSettings(arguments.model), engine=engine_settings)
    options = HostOptions(arguments.model, arguments.threads, 'speculation = "off"\n', arguments.store)
    engine = load_engine(settings, lambda health: None)
    with running_host(options) as host:
        print(json.dumps(asyncio.run(_run(arguments, engine, host.client())), indent=2))


async def _run(arguments: argparse.Namespace, engine: Engine, client: httpx.AsyncClient) -> dict[str, Any]:
    async with client as http:
        found = await run(arguments, engine, http)
    await engine.close()
    return found


if __name__ == "__main__":
    main()
