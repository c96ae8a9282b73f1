"""How often what Heron offers is right: holes in HumanEval solutions, filled by `heron lsp` and by the model alone.

    python tests/bench/quality/infilling.py [--kind single multi tail] [--count 100] [--model NAME] [--cases FILE]
    python tests/bench/quality/infilling.py --answers FILE [--seconds 0] ...

`raw` is what the host's `/v1/completions` answers to prefix and suffix, for single lines and tails up to the line's
end. A case passes if the solution with the text put in passes the problem's tests. With `--cases` a run that was cut
short is gone on with. With `--answers` the completer runs in this process against the host of HERON_HOME, whose answers
are kept: other filters are tried on them without the model. Prints JSON: shares with 95% intervals, and a paired test.
"""

import argparse
import asyncio
import json
import math
import os
import sys
from contextlib import AsyncExitStack, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.figures import describe_machine
from bench.quality.holes import Hole, load_holes
from bench.quality.judge import passes
from bench.quality.recorded import RecordedSource
from bench.quality.shares import paired, share
from bench.servers import fetch_model, heron_environment, temporary_home
from heron.commands.client import Client, Cursor, open_client
from heron.discovery import find_host
from heron.editor.client.client import Infill
from heron.editor.context.surroundings import Surroundings
from heron.editor.document import Document
from heron.editor.features.ask import Ask
from heron.editor.features.complete import Completer
from heron.editor.features.timings import Timings
from heron.errors import HostUnreachable
from heron.settings import CompletionSettings

_RAW_TOKENS = 96
_STREAMS = 6
_SETTINGS = CompletionSettings(warm=False, ahead=False, timeout_ms=120_000)


async def fill(arguments: argparse.Namespace, holes: list[Hole]) -> list[dict[str, str]]:
    """For each hole the text of each way to fill it."""
    model = fetch_model(arguments.model)
    async with AsyncExitStack() as stack:
        home = stack.enter_context(temporary_home(model, arguments.threads))
        os.environ.update(heron_environment(home))
        client = await stack.enter_async_context(open_client(home))
        stack.callback(_stop_host)
        await client.wait_ready(lambda health: None)
        address = find_host(home)
        assert address is not None
        transport = httpx.AsyncHTTPTransport(uds=address.socket_path)
        http = await stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://heron", timeout=60)
        )
        known = _read_cases(arguments.cases)
        return [known.get(hole.name) or await _fill_hole(client, http, hole, arguments) for hole in holes]


async def _fill_hole(
    client: Client, http: httpx.AsyncClient, hole: Hole, arguments: argparse.Namespace
) -> dict[str, str]:
    sys.stderr.write(".")
    sys.stderr.flush()
    texts = {"heron": await _ask_heron(client, hole)}
    if not arguments.no_raw:
        texts["raw"] = await _ask_model(http, hole)
    if arguments.cases:
        _write_case(arguments.cases, hole, texts)
    return texts


def _write_case(path: str, hole: Hole, texts: dict[str, str]) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(hole) | {"texts": texts}) + "\n")


async def _ask_heron(client: Client, hole: Hole) -> str:
    document = Document(f"file:///{abs(hash(hole.name))}.py", 1, "python", hole.prefix + hole.suffix)
    offer = await client.complete(Cursor(document, document.position(len(hole.prefix))))
    return offer.text or ""


async def _ask_model(http: httpx.AsyncClient, hole: Hole) -> str:
    body = {"prompt": hole.prefix, "suffix": hole.suffix, "max_tokens": _RAW_TOKENS, "temperature": 0}
    answer = await http.post("/v1/completions", json=body)
    return _raw_text(str(answer.raise_for_status().json()["choices"][0]["text"]), hole)


async def fill_recorded(arguments: argparse.Namespace, holes: list[Hole]) -> list[dict[str, str]]:
    """The same by the completer in this process, as far as there are answers, or time to ask for them."""
    source = RecordedSource(arguments.answers, arguments.seconds)
    arguments.model = (await source.model()).id
    completer = Completer(source, Surroundings(lambda: None))
    gate = asyncio.Semaphore(_STREAMS)

    async def fill_one(hole: Hole) -> dict[str, str]:
        async with gate:
            with suppress(HostUnreachable):
                texts = {"heron": await complete_hole(completer, hole, Timings())}
                return texts if arguments.no_raw else texts | {"raw": await _ask_raw(source, hole)}
        return {}

    filled = await asyncio.gather(*map(fill_one, holes))
    completer.close()
    await source.close()
    return filled


async def complete_hole(completer: Completer, hole: Hole, timings: Timings) -> str:
    """What is offered in a hole; nothing is read ahead, and the time is not short."""
    document = Document(f"file:///{abs(hash(hole.name))}.py", 1, "python", hole.prefix + hole.suffix)

    async def ready() -> bool:
        return True

    texts = await completer.complete(Ask(document, document.position(len(hole.prefix)), _SETTINGS, ready), timings)
    return texts[0] if texts else ""


async def _ask_raw(source: RecordedSource, hole: Hole) -> str:
    deltas = source.complete(Infill(hole.prefix, hole.suffix, _RAW_TOKENS))
    return _raw_text("".join([delta.text async for delta in deltas]), hole)


def _raw_text(text: str, hole: Hole) -> str:
    return text if hole.kind == "multi" else text.split("\n")[0]


def summarise(holes: list[Hole], filled: list[dict[str, str]]) -> dict[str, Any]:
    cases = [(hole, texts) for hole, texts in zip(holes, filled, strict=True) if texts]
    if not cases:
        return {}
    passed = {way: [passes(hole.program(texts[way])) for hole, texts in cases] for way in cases[0][1]}
    figures: dict[str, Any] = {
        way: {
            "passed": share(passed[way]),
            "same_text": share([texts[way] == hole.middle for hole, texts in cases]),
            "silent": share([not texts[way] for _, texts in cases]),
        }
        for way in passed
    }
    return figures | ({"heron_against_raw": paired(passed["heron"], passed["raw"])} if "raw" in passed else {})


def _read_cases(path: str | None) -> dict[str, dict[str, str]]:
    """What was written for holes of an earlier run, by their names."""
    if path is None or not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return {case["name"]: case["texts"] for case in map(json.loads, file)}


def _stop_host() -> None:
    from heron.app import stop_host

    stop_host()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", nargs="+", choices=("single", "multi", "tail"), default=["single", "multi"])
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b-instruct")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", help="a file of JSON lines, a case each, to go on from and to add to")
    parser.add_argument("--answers", type=Path, help="complete in this process, with the answers in this file")
    parser.add_argument("--seconds", type=float, default=math.inf, help="ask no more after so long; 0: only --answers")
    parser.add_argument("--no-raw", action="store_true", help="ask heron alone")
    arguments = parser.parse_args()
    holes = [hole for kind in arguments.kind for hole in load_holes(kind, arguments.count, arguments.seed)]
    filled = asyncio.run((fill_recorded if arguments.answers else fill)(arguments, holes))
    figures = {}
    for kind in arguments.kind:
        chosen = [index for index, hole in enumerate(holes) if hole.kind == kind]
        figures[kind] = summarise([holes[index] for index in chosen], [filled[index] for index in chosen])
    asked = {"model": arguments.model, "seed": arguments.seed, "machine": describe_machine()}
    print(json.dumps({"bench": "infilling", **asked, "figures": figures}, indent=2))


if __name__ == "__main__":
    main()
