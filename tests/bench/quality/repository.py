"""How often Heron knows the project: holes at calls to what another file of a package defines.

    python tests/bench/quality/repository.py [--language python typescript] [--count 150] [--model NAME]

`none` and `ours` are what `heron lsp` offers without and with other files in the prompt (`completion.context_tokens`);
`oracle` is what the host answers where the one definition that is needed stands in the place of ours. Holes are cut
where the prompt does not show the called name otherwise; `--seen` takes the others: there nothing may be lost.
Prints JSON: called name right, exact match, edit similarity, each with 95% intervals, and paired tests.
"""

import argparse
import asyncio
import difflib
import json
import os
import random
import re
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.figures import describe_machine
from bench.quality.packages import Package, unpack
from bench.quality.repository_holes import Hole, cut_holes, write_workspace
from bench.quality.shares import paired, share
from bench.servers import CHECKOUT, fetch_model, heron_environment, temporary_home
from heron.commands.client import Client, Cursor, open_client
from heron.discovery import ensure_host
from heron.editor.context.budget import Budget
from heron.editor.context.build import build_context
from heron.editor.context.estimate import estimate_tokens
from heron.editor.context.layout import render_snippets
from heron.editor.context.snippet import Snippet
from heron.editor.syntax.languages import find_language
from heron.settings import CompletionSettings

PACKAGES = {
    "python": (
        Package("pip", "werkzeug", "3.1.3"),
        Package("pip", "rich", "14.0.0"),
        Package("pip", "pygls", "2.1.1"),
        Package("pip", "aiohttp", "3.12.14"),
        Package("pip", "trio", "0.30.0"),
        Package("pip", "httpx", "0.28.1"),
    ),
    "typescript": (
        Package("npm", "@tanstack/query-core", "5.62.0", "package/src"),
        Package("npm", "@reduxjs/toolkit", "2.8.2", "package/src"),
        Package("npm", "effect", "3.17.0", "package/src"),
        Package("npm", "immer", "10.1.1", "package/src"),
    ),
}
WAYS = ("none", "ours", "oracle")
ORACLE_LINES = 8
_WORD = re.compile(r"[\w$]+")


@dataclass(frozen=True, slots=True)
class Case:
    hole: Hole
    texts: dict[str, str]
    """What each way offers."""


async def fill(arguments: argparse.Namespace, chosen: list[tuple[Path, list[Hole]]]) -> list[Case]:
    """Each package with its holes, filled in each way."""
    model = fetch_model(arguments.model)
    async with AsyncExitStack() as stack:
        home = stack.enter_context(temporary_home(model, arguments.threads))
        os.environ.update(heron_environment(home))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        transport = httpx.AsyncHTTPTransport(uds=ensure_host(home, 60).socket_path)
        stack.callback(_stop_host)
        http = httpx.AsyncClient(transport=transport, base_url="http://heron", timeout=120)
        await stack.enter_async_context(http)
        cases: list[Case] = []
        for number, (package, holes) in enumerate(chosen):
            root = (folder / str(number)).resolve()
            write_workspace(package, holes, root)
            offered = [await _offer(root, holes, tokens) for tokens in (0, arguments.context_tokens)]
            oracle = [await _ask_oracle(http, root, hole) for hole in holes]
            texts = zip(*offered, oracle, strict=True)
            cases += [Case(hole, dict(zip(WAYS, each, strict=True))) for hole, each in zip(holes, texts, strict=True)]
            write_cases(arguments.cases, cases)
        return cases


def write_cases(path: str, cases: list[Case]) -> None:
    """What is known so far: a run of hours may be cut short."""
    if path:
        Path(path).write_text(json.dumps([asdict(case) for case in cases], indent=1), encoding="utf-8")


async def _offer(root: Path, holes: list[Hole], context_tokens: int) -> list[str]:
    """What `heron lsp` offers where the cursor has rested: all that is to be shown was found, the whole window read."""
    settings = {"completion": {"context_tokens": context_tokens, "warm": False, "timeout_ms": 120_000}}
    async with open_client(root, settings=settings) as client:
        await client.wait_ready(lambda health: None)
        return [await _complete(client, _cursor(hole, root)) for hole in holes]


async def _complete(client: Client, cursor: Cursor) -> str:
    sys.stderr.write(".")
    sys.stderr.flush()
    async with client.opened(cursor.document):
        await client.explain(cursor)
        return ((await client.complete(cursor)).text or "").split("\n")[0]


async def _ask_oracle(http: httpx.AsyncClient, root: Path, hole: Hole) -> str:
    """What the model answers if it is shown the definition."""
    settings, cursor = CompletionSettings(), _cursor(hole, root)
    budget = Budget(settings.prefix_tokens, settings.suffix_tokens, estimate_tokens)
    text = "\n".join(hole.definition.split("\n")[:ORACLE_LINES])
    snippet = Snippet("definitions", root / hole.defined_in, 0, 0, text)
    beyond = render_snippets([(hole.defined_in, snippet)], find_language(hole.language))
    context = build_context(cursor.document, cursor.position, None, budget, beyond)
    body = {"prompt": context.prefix, "suffix": context.suffix, "max_tokens": 40, "temperature": 0, "stop": ["\n"]}
    answer = await http.post("/v1/completions", json=body)
    return str(answer.raise_for_status().json()["choices"][0]["text"])


def _cursor(hole: Hole, root: Path) -> Cursor:
    document = hole.document(root)
    return Cursor(document, document.position(len(hole.prefix)))


def summarise(cases: list[Case]) -> dict[str, Any]:
    named = {way: [_first_word(case.texts[way]) == case.hole.name for case in cases] for way in WAYS}
    exact = {way: [case.texts[way].strip() == case.hole.middle.strip() for case in cases] for way in WAYS}
    figures: dict[str, Any] = {
        way: {
            "called_name_right": share(named[way]),
            "exact": share(exact[way]),
            "edit_similarity": _mean([_likeness(case.texts[way], case.hole.middle) for case in cases]),
            "silent": share([not case.texts[way] for case in cases]),
        }
        for way in WAYS
    }
    tests = {"called_name": paired(named["ours"], named["none"]), "exact": paired(exact["ours"], exact["none"])}
    return figures | {"ours_against_none": tests}


def _first_word(text: str) -> str:
    word = _WORD.match(text)
    return word[0] if word else ""


def _likeness(one: str, other: str) -> float:
    """From 0 to 100, by the longest matching blocks."""
    return 100 * difflib.SequenceMatcher(None, one.strip(), other.strip(), autojunk=False).ratio()


def _mean(values: Sequence[float]) -> dict[str, Any]:
    """With a 95% interval by 2,000 draws with replacement (Efron 1979)."""
    chance, size = random.Random(0), len(values)
    drawn = sorted(statistics.fmean(chance.choices(values, k=size)) for _ in range(2000))
    return {"mean": round(statistics.fmean(values), 1), "interval": [round(drawn[50], 1), round(drawn[1949], 1)]}


def choose_holes(languages: Sequence[str], count: int, seed: int, is_seen: bool) -> Iterator[tuple[Path, list[Hole]]]:
    """About as many holes of each package, `count` of each language in all as far as there are so many."""
    below = CHECKOUT / ".heron" / "packages"
    below.mkdir(parents=True, exist_ok=True)
    for language in languages:
        left, packages = count, PACKAGES[language]
        cut = [(folder, cut_holes(folder, count, seed)) for folder in (unpack(one, below) for one in packages)]
        fitting = [(folder, [one for one in holes if one.is_seen == is_seen]) for folder, holes in cut]
        for number, (folder, holes) in enumerate(sorted(fitting, key=lambda one: len(one[1]))):
            taken = holes[: -(-left // (len(fitting) - number))]
            left -= len(taken)
            if taken:
                yield folder, taken


def _stop_host() -> None:
    from heron.app import stop_host

    stop_host()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--language", nargs="+", choices=tuple(PACKAGES), default=list(PACKAGES))
    parser.add_argument("--count", type=int, default=75, help="holes of each language")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b-instruct")
    parser.add_argument("--context-tokens", type=int, default=CompletionSettings().context_tokens)
    parser.add_argument("--seen", action="store_true", help="holes whose name the file itself shows")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", default="", help="write each case with its texts to this file, as JSON")
    arguments = parser.parse_args()
    chosen = list(choose_holes(arguments.language, arguments.count, arguments.seed, arguments.seen))
    cases = asyncio.run(fill(arguments, chosen))
    figures: dict[str, Any] = {"all": summarise(cases)}
    for language in arguments.language if len(arguments.language) > 1 else ():
        found = [case for case in cases if case.hole.language.startswith(language)]
        figures |= {language: summarise(found)} if found else {}
    asked = {"model": arguments.model, "context_tokens": arguments.context_tokens, "seed": arguments.seed}
    print(json.dumps({"bench": "repository", **asked, "machine": describe_machine(), "figures": figures}, indent=2))


if __name__ == "__main__":
    main()
