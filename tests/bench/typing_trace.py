"""The typing bench; its command is `tests/bench/typing.py`, whose name must not hide Python's own module."""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx

from bench.editors import Asked, Editor, InfillEditor, LspEditor, type_segment
from bench.figures import describe_machine, percentile
from bench.servers import fetch_model, heron_environment, start_llama_server, temporary_home
from bench.trace import Release, Segment, make_trace
from heron.commands.client import open_client
from heron.discovery import find_host


async def run_trace(editors: dict[str, Editor], segments: Sequence[Segment]) -> dict[str, list[list[Asked]]]:
    """Each segment by one editor and at once by the other; who begins changes."""
    asked: dict[str, list[list[Asked]]] = {name: [] for name in editors}
    for number, segment in enumerate(segments):
        for name in sorted(editors, reverse=number % 2 == 1):
            asked[name].append(await type_segment(editors[name], segment))
            sys.stderr.write(".")
    sys.stderr.write("\n")
    return asked


def summarise(segments: list[list[Asked]]) -> dict[str, Any]:
    """`answer_ms` is of requests that were answered at all; `wait_ms` from any key to the next answer, if any came."""
    asked = [item for segment in segments for item in segment]
    answers = [item.answer_ms for item in asked if item.answer_ms is not None]
    waits = [wait for segment in segments for wait in _waits(segment)]
    prefilled = [item.prefilled_tokens for item in asked if item.prefilled_tokens is not None]
    share = len(asked) / 100
    return {
        "keys": len(asked),
        "answer_ms": {"p50": _at(answers, 50), "p95": _at(answers, 95)},
        "wait_ms": {"p50": _at(waits, 50), "p95": _at(waits, 95)},
        "answered_before_next_key_percent": round(sum(item.in_time for item in asked) / share, 1),
        "shown_before_next_key_percent": round(sum(item.in_time and item.text != "" for item in asked) / share, 1),
        "never_answered_percent": round((len(asked) - len(waits)) / share, 1),
        "prefilled_tokens": {"p50": _at(prefilled, 50), "p95": _at(prefilled, 95)},
        "short_window_percent": round(sum(item.window == "short" for item in asked) / share, 1),
        "without_the_model_percent": round(sum(not item.called_model for item in asked) / share, 1),
    }


def _waits(segment: list[Asked]) -> list[float]:
    """From each key to the first answer to it or to a later key; keys that none followed are left out."""
    waits: list[float] = []
    wait_ms: float | None = None
    for item in reversed(segment):
        if item.answer_ms is not None:
            wait_ms = item.answer_ms
        elif wait_ms is not None:
            wait_ms += item.pause_ms
        if wait_ms is not None:
            waits.append(wait_ms)
    return waits


def _at(values: Sequence[float], percent: float) -> float | None:
    return round(percentile(values, percent), 1) if values else None


async def bench(arguments: argparse.Namespace, segments: Sequence[Segment]) -> dict[str, Any]:
    model = fetch_model(arguments.model)
    async with AsyncExitStack() as stack:
        home = stack.enter_context(temporary_home(model, arguments.threads))
        os.environ.update(heron_environment(home))
        client = await stack.enter_async_context(open_client(home))
        stack.callback(_stop_host)
        await client.wait_ready(lambda health: None)
        editors: dict[str, Editor] = {"heron": LspEditor(client.peer, arguments.rest_s)}
        if arguments.llama_server:
            options = ("--cache-reuse", "256")
            server = stack.enter_context(start_llama_server(arguments.llama_server, model, arguments.threads, *options))
            http = httpx.AsyncClient(base_url=server.http.base_url, timeout=60, trust_env=False)
            editors["llama-server"] = InfillEditor(await stack.enter_async_context(http))
        asked = await run_trace(editors, segments)
        engine = await _engine_counters(home)
    if arguments.trace:
        arguments.trace.write_text(json.dumps({name: [[asdict(i) for i in s] for s in a] for name, a in asked.items()}))
    figures = {name: summarise(items) for name, items in asked.items()}
    figures["heron"]["prefilled_tokens"] |= _per_key(engine, figures["heron"]["keys"])
    return figures


def _per_key(engine: dict[str, Any], keys: int) -> dict[str, float]:
    """Tokens prefilled a key, those of dropped requests too: for completions, and in the background."""
    background = int(engine.get("background_prefilled_tokens_total", 0))
    foreground = int(engine["prefilled_tokens_total"]) - background
    return {"mean_per_key": round(foreground / keys, 1), "background_per_key": round(background / keys, 1)}


async def _engine_counters(home: Path) -> dict[str, Any]:
    """What the engine counted since it started."""
    address = find_host(home)
    assert address is not None
    transport = httpx.AsyncHTTPTransport(uds=address.socket_path)
    async with httpx.AsyncClient(transport=transport, base_url=address.base_url) as http:
        stats = (await http.get("/v1/stats")).raise_for_status().json()
    return dict(stats["engine"])


def _stop_host() -> None:
    from heron.app import stop_host

    stop_host()


def main() -> None:
    parser = argparse.ArgumentParser(prog="typing.py", description=__doc__)
    parser.add_argument("--llama-server", type=Path, help="its executable; without it only heron is measured")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b-instruct")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--keys", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rest-s", type=float, default=0.0, help="how long the cursor rests before a stretch is typed")
    parser.add_argument("--trace", type=Path, help="write what came of each key to this file, as JSON")
    parser.add_argument("--package", default="rich")
    parser.add_argument("--old", default="13.7.1")
    parser.add_argument("--new", default="13.9.4")
    arguments = parser.parse_args()
    old, new = Release(arguments.package, arguments.old), Release(arguments.package, arguments.new)
    segments = make_trace(old, new, arguments.keys, arguments.seed)
    began = time.perf_counter()
    machine = describe_machine()
    found = asyncio.run(bench(arguments, segments))
    asked = {name: getattr(arguments, name) for name in ("model", "threads", "package", "old", "new", "seed", "rest_s")}
    took = {"segments": len(segments), "took_s": round(time.perf_counter() - began)}
    print(json.dumps({"bench": "typing", **asked, **took, "machine": machine, "figures": found}, indent=2))
