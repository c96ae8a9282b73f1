"""How often Heron knows the project: holes at calls to what another file of a package defines.

    python tests/bench/quality/repository.py [--language python typescript go rust] [--count 50] [--model NAME]

`none` and `ours` are what `heron lsp` offers without and with other files in the prompt (`completion.context_tokens`);
`oracle` is what the host answers where the one definition that is needed stands in the place of ours. Holes are cut
where the prompt does not show the called name otherwise; `--seen` takes the others: there nothing may be lost.
With `--cases FILE` each case is kept, and a further run goes on from there; `--minutes` ends a run in time.
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
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.figures import describe_machine
from bench.quality.packages import unpack
from bench.quality.repository_cases import Case, add_case, read_cases
from bench.quality.repository_holes import Hole, cut_holes, write_workspace
from bench.quality.repository_packages import FRESH, READ, Packages
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

WAYS = ("none", "ours", "oracle")
ORACLE_LINES = 8
_WORD = re.compile(r"[\w$]+")


@dataclass(frozen=True, slots=True)
class Ways:
    """What can be asked for a hole: two servers of one editor, and the host."""

    none: Client
    ours: Client
    http: httpx.AsyncClient


async def fill(arguments: argparse.Namespace, chosen: list[tuple[Path, list[Hole]]]) -> list[Case]:
    """Each package's holes, filled in each way; those of the file of cases and as many more as there is time for."""
    cases, deadline = read_cases(arguments.cases), time.monotonic() + 60 * arguments.minutes
    known = {case.hole for case in cases}
    async with AsyncExitStack() as stack:
        http, folder = await _start(stack, arguments)
        for number, (package, holes) in enumerate(chosen):
            left = [hole for hole in holes if hole not in known]
            if left and time.monotonic() < deadline:
                root = (folder / str(number)).resolve()
                write_workspace(package, holes, root)
                async for case in _fill_package(http, root, left, arguments):
                    add_case(arguments.cases, case)
                    cases.append(case)
                    if time.monotonic() > deadline:
                        break
    return [case for case in cases if any(case.hole in holes for _, holes in chosen)]


async def _start(stack: AsyncExitStack, arguments: argparse.Namespace) -> tuple[httpx.AsyncClient, Path]:
    """A host with the model, and a folder for workspaces; both go with the stack."""
    home = stack.enter_context(temporary_home(fetch_model(arguments.model), arguments.threads))
    os.environ.update(heron_environment(home))
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    transport = httpx.AsyncHTTPTransport(uds=ensure_host(home, 60).socket_path)
    stack.callback(_stop_host)
    http = httpx.AsyncClient(transport=transport, base_url="http://heron", timeout=120)
    return await stack.enter_async_context(http), folder


async def _fill_package(
    http: httpx.AsyncClient, root: Path, holes: Sequence[Hole], arguments: argparse.Namespace
) -> AsyncIterator[Case]:
    async with _open(root, 0) as none, _open(root, arguments.context_tokens) as ours:
        for client in (none, ours):
            await client.wait_ready(lambda health: None)
        for hole in holes:
            sys.stderr.write(".")
            sys.stderr.flush()
            yield Case(hole, await _fill(Ways(none, ours, http), hole, root))


async def _fill(ways: Ways, hole: Hole, root: Path) -> dict[str, str]:
    """One after the other: what they share of the prompt is read once."""
    cursor = _cursor(hole, root)
    texts = {"none": await _complete(ways.none, cursor)}
    if not hole.is_seen:
        texts["oracle"] = await _ask_oracle(ways.http, root, hole)
    return texts | {"ours": await _complete(ways.ours, cursor)}


def _open(root: Path, context_tokens: int) -> AbstractAsyncContextManager[Client]:
    """`heron lsp` without a time limit; where the cursor has rested all that is to be shown was found."""
    settings = {"completion": {"context_tokens": context_tokens, "warm": False, "timeout_ms": 120_000}}
    return open_client(root, settings=settings)


async def _complete(client: Client, cursor: Cursor) -> str:
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
    ways = [way for way in WAYS if all(way in case.texts for case in cases)]
    named = {way: [_first_word(case.texts[way]) == case.hole.name for case in cases] for way in ways}
    exact = {way: [case.texts[way].strip() == case.hole.middle.strip() for case in cases] for way in ways}
    figures: dict[str, Any] = {
        way: {
            "called_name_right": share(named[way]),
            "exact": share(exact[way]),
            "edit_similarity": _mean([_likeness(case.texts[way], case.hole.middle) for case in cases]),
            "silent": share([not case.texts[way] for case in cases]),
        }
        for way in ways
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


def choose_holes(packages: Packages, arguments: argparse.Namespace) -> Iterator[tuple[Path, list[Hole]]]:
    """About as many holes of each package, `count` of each language in all as far as there are so many."""
    below = CHECKOUT / ".heron" / "packages"
    below.mkdir(parents=True, exist_ok=True)
    for language in arguments.language:
        left, folders = arguments.count, [unpack(one, below) for one in packages[language]]
        cut = [(folder, cut_holes(folder, arguments.count, arguments.seed)) for folder in folders]
        fitting = [(folder, [one for one in holes if one.is_seen == arguments.seen]) for folder, holes in cut]
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
    parser.add_argument("--language", nargs="+", choices=tuple(FRESH), default=list(FRESH))
    parser.add_argument("--count", type=int, default=50, help="holes of each language")
    parser.add_argument("--read", action="store_true", help="holes of the packages that were read while tuning")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b-instruct")
    parser.add_argument("--context-tokens", type=int, default=CompletionSettings().context_tokens)
    parser.add_argument("--seen", action="store_true", help="holes whose name the file itself shows")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", default="", help="keep each case in this file, and go on from there")
    parser.add_argument("--minutes", type=float, default=600.0, help="begin no further case after so long")
    arguments = parser.parse_args()
    chosen = list(choose_holes(READ if arguments.read else FRESH, arguments))
    cases = asyncio.run(fill(arguments, chosen))
    figures: dict[str, Any] = {"all": summarise(cases)}
    for language in arguments.language if len(arguments.language) > 1 else ():
        found = [case for case in cases if case.hole.language.startswith(language)]
        figures |= {language: summarise(found)} if found else {}
    asked = {"model": arguments.model, "context_tokens": arguments.context_tokens, "seed": arguments.seed}
    print(json.dumps({"bench": "repository", **asked, "machine": describe_machine(), "figures": figures}, indent=2))


if __name__ == "__main__":
    main()
