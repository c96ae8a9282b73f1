"""How often what is offered does not fit where it is put: in real sources of eleven languages, with the real model.

    python tests/bench/quality/fit.py --count 400 [--seed 1] [--short] [--answers FILE] [--show] [--sources FOLDER]
    python tests/bench/quality/fit.py --count 100 --server [--seconds 600]
    python tests/bench/quality/fit.py --count 3000 --made-up

Uses the host of HERON_HOME. A place is made by cutting out of a file the rest of a line, a line, or some lines; what
the completer offers there is put in and the file is read anew. The model's answers are kept in `--answers`: a run can
be cut short and gone on with, and other filters are tried without the model. With `--server` a real `heron lsp` is
asked, as an editor asks by itself. With `--made-up` no model is asked at all: answers are the file's own text, gone on
with, broken off, mistaken. Prints JSON: shares with 95% intervals.
"""

import argparse
import asyncio
import json
import math
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.figures import describe_machine
from bench.quality.faults import FAULTS, find_faults
from bench.quality.fit_places import PACKAGES, Place, make_places
from bench.quality.made_up import MadeUpSource
from bench.quality.recorded import RecordedSource
from bench.quality.shares import share
from heron.commands.client import Client, open_client
from heron.editor.context.surroundings import Surroundings
from heron.editor.document import Document
from heron.editor.features.ask import Ask
from heron.editor.features.complete import Completer
from heron.editor.features.contexts import SHORT_PREFIX_TOKENS, SHORT_SUFFIX_TOKENS
from heron.editor.features.timings import Timings
from heron.errors import HostUnreachable
from heron.settings import CompletionSettings

STREAMS = 4
_AUTOMATIC = 2
_SETTINGS = CompletionSettings(warm=False, ahead=False, timeout_ms=600_000)
_SHORT = replace(_SETTINGS, prefix_tokens=SHORT_PREFIX_TOKENS, suffix_tokens=SHORT_SUFFIX_TOKENS, context_tokens=0)


@dataclass(frozen=True, slots=True)
class Case:
    """What was offered at a place, and what is wrong with it."""

    place: Place
    offer: str
    faults: tuple[str, ...]


async def measure(arguments: argparse.Namespace) -> list[Case]:
    files = make_places(arguments.sources, arguments.count, arguments.seed)
    source, settings = RecordedSource(arguments.answers, arguments.seconds), _SHORT if arguments.short else _SETTINGS
    completer = Completer(source, Surroundings(lambda: None))
    gate = asyncio.Semaphore(STREAMS)

    async def ask_file(places: list[Place]) -> list[Case]:
        cases: list[Case] = []
        with suppress(HostUnreachable):
            async with gate:
                for place in places:
                    cases += [await _ask(completer, place, settings)]
        return cases

    found = await asyncio.gather(*map(ask_file, files))
    completer.close()
    await source.close()
    sys.stderr.write(f"{source.missed} answers were lacking\n" if source.missed else "")
    return [case for cases in found for case in cases]


async def measure_server(arguments: argparse.Namespace) -> list[Case]:
    """Through a `heron lsp` process in the home of HERON_HOME, for as long as there is time."""
    until, cases = time.monotonic() + arguments.seconds, []
    settings = {"completion": {"timeout_ms": _SETTINGS.timeout_ms}, "stats": {"enabled": False}}
    async with open_client(Path.cwd(), settings=settings) as client:
        await client.wait_ready(lambda health: None)
        for places in make_places(arguments.sources, arguments.count, arguments.seed):
            for place in places:
                if time.monotonic() < until:
                    cases += [await _ask_server(client, place)]
    return cases


async def _ask_server(client: Client, place: Place) -> Case:
    document = Document(f"file:///{place.name}", 1, place.language, place.text)
    where = document.position(place.offset)
    async with client.opened(document):
        question = {
            "textDocument": {"uri": document.uri},
            "position": {"line": where.line, "character": where.column},
            "context": {"triggerKind": _AUTOMATIC},
        }
        items = await client.peer.request("textDocument/inlineCompletion", question)
    offer = items[0]["insertText"] if items else ""
    return Case(place, offer, find_faults(document, place.offset, offer) if offer else ())


async def measure_made_up(arguments: argparse.Namespace) -> list[Case]:
    source = MadeUpSource(arguments.seed)
    completer = Completer(source, Surroundings(lambda: None))
    cases = []
    for places in make_places(arguments.sources, arguments.count, arguments.seed):
        for place in places:
            source.cut, source.text, source.below = place.cut, place.text, place.text[place.offset :]
            cases.append(await _ask(completer, place, _SETTINGS))
    completer.close()
    return cases


async def _ask(completer: Completer, place: Place, settings: CompletionSettings) -> Case:
    document = Document(f"file:///{place.name}", 1, place.language, place.text)

    async def ready() -> bool:
        return True

    texts = await completer.complete(Ask(document, document.position(place.offset), settings, ready), Timings())
    completer.forget(document.uri)
    offer = texts[0] if texts else ""
    return Case(place, offer, find_faults(document, place.offset, offer) if offer else ())


def show(case: Case) -> str:
    """A case for people: some lines around it, the offer between marks."""
    above, below = case.place.text[: case.place.offset], case.place.text[case.place.offset :]
    near = "\n".join(above.split("\n")[-6:]) + f"├{case.offer}┤" + "\n".join(below.split("\n")[:5])
    return f"==== {case.place.name} {case.place.language} {' '.join(case.faults)}\n{near}\n"


def summarise(cases: list[Case]) -> dict[str, Any]:
    """Shares of what was offered; of all places those where nothing was."""
    offered = [case for case in cases if case.offer]
    return {
        "silent": share([not case.offer for case in cases]),
        "any_fault": share([bool(case.faults) for case in offered]),
        "faults": {name: share([name in case.faults for case in offered]) for name in FAULTS},
        "languages": {name: share([bool(c.faults) for c in offered if c.place.language == name]) for name in PACKAGES},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--answers", type=Path, help="a file of JSON lines, to take answers from and to add to")
    parser.add_argument("--seconds", type=float, default=math.inf, help="ask no more after so long; 0: only --answers")
    parser.add_argument("--short", action="store_true", help="ask with the short window of cold places")
    parser.add_argument("--server", action="store_true", help="ask a real `heron lsp`")
    parser.add_argument("--made-up", action="store_true", help="made-up answers instead of a model's")
    parser.add_argument("--show", action="store_true", help="show the offers with faults")
    parser.add_argument("--sources", type=Path, default=Path(".heron/packages"))
    arguments = parser.parse_args()
    way = measure_made_up if arguments.made_up else measure_server if arguments.server else measure
    cases = asyncio.run(way(arguments))
    for case in cases if arguments.show else ():
        sys.stderr.write(show(case) if case.faults else "")
    figures = summarise(cases)
    print(
        json.dumps(
            {"bench": "fit", "seed": arguments.seed, "machine": describe_machine(), "figures": figures}, indent=2
        )
    )


if __name__ == "__main__":
    main()
