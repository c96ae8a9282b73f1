"""What the host costs: requests through `heron host` against the same engine called in this process.

python tests/bench/overhead.py [--model NAME] [--threads N] [--requests 200] [--rounds 3] [--store HOME]

*request*: one token of an answer to a cached prompt, by HTTP over the Unix socket with the client `heron lsp` uses, and
by `generate` here, in blocks and in turn: both meet the same machine. *streams*: tokens a second of four answers at
once, as server-sent events and as deltas, of either priority: each delta of a completion is sent at once, those of
chats are merged. Both engines are loaded, one works at a time. Prints JSON.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.figures import describe_machine, median_of_ratios, percentile, rounded
from bench.hosts import CHECKOUT, HostOptions, running_host
from heron.discovery import HostAddress
from heron.editor.client.answers import CompletionReader
from heron.editor.client.http import Post, Server, stream
from heron.editor.client.opening import open_server
from heron.editor.client.pulse import with_pulse
from heron.host.engine.engine import Engine
from heron.host.engine.load import load_engine
from heron.settings import EngineSettings, ModelSettings, Settings
from heron.wire import CLIENT_HEADER, PRIORITY_HEADER, GenerateRequest, Priority, Sampling, TextPrompt

PROMPT = "def fibonacci(n):\n    "
BLOCK = 20
"""Requests in a row of one side."""
STREAMS, STREAM_TOKENS = 4, 96
PRIORITIES: tuple[Priority, ...] = ("completion", "chat")
_SILENCE_S = 2.0
"""What `heron lsp` takes."""
BIASES = {"151643": -100.0, "151645": -100.0}
"""Against the tokens that would end an answer of the Qwen2 models early."""
_BIASES = tuple((int(token_id), bias) for token_id, bias in BIASES.items())


@dataclass(frozen=True, slots=True)
class Ask:
    """One answer that is asked for; `number` says whose it is."""

    prompt: str
    max_tokens: int
    number: int
    priority: Priority = "completion"


async def ask_engine(engine: Engine, ask: Ask) -> int:
    """One answer of the engine here; its tokens."""
    sampling = Sampling(ask.max_tokens, logit_bias=_BIASES)
    prompt, number = TextPrompt(ask.prompt), str(ask.number)
    request = GenerateRequest(f"r{number}", prompt, sampling, ask.priority, number)
    async with aclosing(engine.generate(request)) as deltas:
        return sum([len(delta.token_ids) async for delta in deltas])


async def ask_host(host: Server, ask: Ask) -> int:
    """The same of the host's, as a stream."""
    body = {"prompt": ask.prompt, "max_tokens": ask.max_tokens, "temperature": 0, "logit_bias": BIASES}
    options = {"user": str(ask.number), "stream": True, "stream_options": {"include_usage": True}}
    headers = {PRIORITY_HEADER: ask.priority, CLIENT_HEADER: str(ask.number)}
    events = stream(host, Post("/v1/completions", body | options, headers), CompletionReader())
    async with aclosing(with_pulse(events, _is_alive, _SILENCE_S)) as deltas:
        return [delta.usage.completion_tokens async for delta in deltas if delta.usage][-1]


async def _is_alive() -> bool:
    raise AssertionError("the host was silent for too long")


async def time_requests(engine: Engine, host: Server, count: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each request here and through the host."""
    sides: list[tuple[Any, Any, list[float]]] = [(ask_engine, engine, []), (ask_host, host, [])]
    for block in range(count // BLOCK):
        for ask, side, times_ms in sides if block % 2 else sides[::-1]:
            for number in range(BLOCK + 2):
                began = time.perf_counter()
                await ask(side, Ask(PROMPT, 1, number))
                if number >= 2:  # the first ones find the threads of the other engine still awake
                    times_ms.append(1000 * (time.perf_counter() - began))
    return sides[0][2], sides[1][2]


async def time_streams(ask: Any, side: Any, priority: Priority) -> float:
    """Tokens a second of four streams at once."""
    began = time.perf_counter()
    prompts = [f"# File {number}\n{PROMPT}" for number in range(STREAMS)]
    asks = (ask(side, Ask(prompt, STREAM_TOKENS, number, priority)) for number, prompt in enumerate(prompts))
    counts = await asyncio.gather(*asks)
    return sum(counts) / (time.perf_counter() - began)


async def compare_streams(engine: Engine, host: Server, priority: Priority, rounds: int) -> dict[str, Any]:
    """Rates here and through the host, in turn; the first round only warms both."""
    sides: list[tuple[Any, Any, list[float]]] = [(ask_engine, engine, []), (ask_host, host, [])]
    for number in range(rounds + 1):
        for ask, side, rates in sides if number % 2 else sides[::-1]:
            rates.append(await time_streams(ask, side, priority))
    here, host = (rates[1:] for _, _, rates in sides)
    return {"engine": rounded(here), "host": rounded(host), "ratio": round(median_of_ratios(host, here), 3)}


async def run(arguments: argparse.Namespace, engine: Engine, host: Server) -> dict[str, Any]:
    here_ms, host_ms = await time_requests(engine, host, arguments.requests)
    rates = {kind: await compare_streams(engine, host, kind, arguments.rounds) for kind in PRIORITIES}
    return {
        **describe_machine(),
        "request_ms": {
            "engine_p50": round(statistics.median(here_ms), 2),
            "host_p50": round(statistics.median(host_ms), 2),
            "overhead_p50": round(statistics.median(host_ms) - statistics.median(here_ms), 2),
            "host_p95": round(percentile(host_ms, 95), 2),
        },
        "four_streams_tokens_a_second": rates,
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
        server = open_server(HostAddress("http://localhost", host.socket_path), lambda notice: None)
        print(json.dumps(asyncio.run(_run(arguments, engine, server)), indent=2))


async def _run(arguments: argparse.Namespace, engine: Engine, host: Server) -> dict[str, Any]:
    found = await run(arguments, engine, host)
    await host.close()
    await engine.close()
    return found


if __name__ == "__main__":
    main()
