"""How often what Heron offers is right: holes in HumanEval solutions, filled by `heron lsp` and by the model alone.

    python tests/bench/quality/infilling.py [--kind single multi tail] [--count 100] [--model NAME] [--cases FILE]

`raw` is what the host's `/v1/completions` answers to prefix and suffix, for single lines and tails up to the line's
end. A case passes if the solution with the text put in passes the problem's tests. With `--cases` a run that was cut
short is gone on with. Prints JSON: shares with 95% intervals, and the paired test.
"""

import argparse
import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.figures import describe_machine
from bench.quality.holes import Hole, load_holes
from bench.quality.judge import passes
from bench.quality.shares import paired, share
from bench.servers import fetch_model, heron_environment, temporary_home
from heron.commands.client import Client, Cursor, open_client
from heron.discovery import find_host
from heron.editor.document import Document

_RAW_TOKENS = 96


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
    text = str(answer.raise_for_status().json()["choices"][0]["text"])
    return text if hole.kind == "multi" else text.split("\n")[0]


def summarise(holes: list[Hole], filled: list[dict[str, str]]) -> dict[str, Any]:
    cases = list(zip(holes, filled, strict=True))
    passed = {way: [passes(hole.program(texts[way])) for hole, texts in cases] for way in filled[0]}
    figures: dict[str, Any] = {
        way: {
            "passed": share(passed[way]),
            "same_text": share([texts[way] == hole.middle for hole, texts in cases]),
            "silent": share([not texts[way] for texts in filled]),
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
    parser.add_argument("--no-raw", action="store_true", help="ask heron alone")
    arguments = parser.parse_args()
    holes = [hole for kind in arguments.kind for hole in load_holes(kind, arguments.count, arguments.seed)]
    filled = asyncio.run(fill(arguments, holes))
    figures = {}
    for kind in arguments.kind:
        chosen = [index for index, hole in enumerate(holes) if hole.kind == kind]
        figures[kind] = summarise([holes[index] for index in chosen], [filled[index] for index in chosen])
    asked = {"model": arguments.model, "seed": arguments.seed, "machine": describe_machine()}
    print(json.dumps({"bench": "infilling", **asked, "figures": figures}, indent=2))


if __name__ == "__main__":
    main()
