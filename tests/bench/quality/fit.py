"""How often what is offered does not fit where it is put: in real sources of five languages, with the real model.

    python tests/bench/quality/fit.py --count 400 [--seed 1] [--answers FILE] [--show] [--sources FOLDER]
    python tests/bench/quality/fit.py --count 3000 --made-up

Uses the host of HERON_HOME. A place is made by cutting out of a file the rest of a line, a line, or some lines; what
the completer offers there is put in and the file is read anew. The model's answers are kept in `--answers`: a run can
be cut short and gone on with, and other filters are tried without the model. With `--made-up` no model is asked at all:
answers are the file's own text, gone on with, broken off, mistaken. Prints JSON: shares with 95% intervals.
"""

import argparse
import asyncio
import json
import math
import random
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.figures import describe_machine
from bench.quality.faults import FAULTS, find_faults
from bench.quality.made_up import MadeUpSource
from bench.quality.recorded import RecordedSource
from bench.quality.shares import share
from bench.real_functions import ENDINGS, source_files
from heron.editor.context.surroundings import Surroundings
from heron.editor.document import Document
from heron.editor.features.ask import Ask
from heron.editor.features.complete import Completer
from heron.editor.features.timings import Timings
from heron.editor.syntax.tree import parse
from heron.errors import HostUnreachable
from heron.settings import CompletionSettings

PLACES_PER_FILE = 12
STREAMS = 4
_MOST_CHARACTERS = 60_000
_SETTINGS = CompletionSettings(warm=False, ahead=False, timeout_ms=60_000)


@dataclass(frozen=True, slots=True)
class Place:
    """A file with a piece, `cut`, cut out at `offset`; `name` is the same at each run."""

    name: str
    language: str
    text: str
    offset: int
    cut: str


@dataclass(frozen=True, slots=True)
class Case:
    """What was offered at a place, and what is wrong with it."""

    place: Place
    offer: str
    faults: tuple[str, ...]


def make_places(folder: Path, count: int, seed: int) -> list[list[Place]]:
    """Places file by file, as many of each language, top to bottom within a file."""
    chance = random.Random(seed)
    files: list[list[Place]] = []
    for language in ENDINGS:
        paths = source_files(language, folder)
        chance.shuffle(paths)
        wanted = count // len(ENDINGS)
        for path in paths:
            places = [*_cut_file(language, path, chance)][:wanted]
            wanted -= len(places)
            files += [places] if places else []
            if not wanted:
                break
    return files


def _cut_file(language: str, path: Path, chance: random.Random) -> Iterator[Place]:
    text = path.read_text(encoding="utf-8", errors="replace")
    document = Document(path.as_uri(), 1, language, text)
    tree = parse(document) if len(text) <= _MOST_CHARACTERS else None
    lines = text.split("\n")
    if tree is None or tree.has_error or len(lines) < 4 * PLACES_PER_FILE:
        return
    for number in sorted(chance.sample(range(len(lines) - 6), PLACES_PER_FILE)):
        if lines[number].strip():
            yield _cut(Place(f"{path.name}:{number}", language, "", 0, ""), lines, number, chance)


def _cut(place: Place, lines: list[str], number: int, chance: random.Random) -> Place:
    """Cut the rest of a line, a line, or up to four lines; the indentation stays, as an editor would put it."""
    line = lines[number]
    indent = len(line) - len(line.lstrip())
    kind = chance.choice(("rest", "line", "lines"))
    column = chance.randint(indent + 1, len(line)) if kind == "rest" else indent
    last = number + (chance.randint(1, 3) if kind == "lines" else 0)
    before = "".join(f"{above}\n" for above in lines[:number]) + line[:column]
    after = "".join(f"\n{below}" for below in lines[last + 1 :])
    cut = "\n".join([line[column:], *lines[number + 1 : last + 1]])
    return Place(f"{place.name}:{kind}", place.language, before + after, len(before), cut)


async def measure(arguments: argparse.Namespace) -> list[Case]:
    files = make_places(arguments.sources, arguments.count, arguments.seed)
    source = RecordedSource(arguments.answers, arguments.seconds)
    completer = Completer(source, Surroundings(lambda: None))
    gate = asyncio.Semaphore(STREAMS)

    async def ask_file(places: list[Place]) -> list[Case]:
        cases: list[Case] = []
        with suppress(HostUnreachable):
            async with gate:
                for place in places:
                    cases += [await _ask(completer, place)]
        return cases

    found = await asyncio.gather(*map(ask_file, files))
    completer.close()
    await source.close()
    sys.stderr.write(f"{source.missed} answers were lacking\n" if source.missed else "")
    return [case for cases in found for case in cases]


async def measure_made_up(arguments: argparse.Namespace) -> list[Case]:
    source = MadeUpSource(arguments.seed)
    completer = Completer(source, Surroundings(lambda: None))
    cases = []
    for places in make_places(arguments.sources, arguments.count, arguments.seed):
        for place in places:
            source.cut, source.text, source.below = place.cut, place.text, place.text[place.offset :]
            cases.append(await _ask(completer, place))
    completer.close()
    return cases


async def _ask(completer: Completer, place: Place) -> Case:
    document = Document(f"file:///{place.name}", 1, place.language, place.text)

    async def ready() -> bool:
        return True

    texts = await completer.complete(Ask(document, document.position(place.offset), _SETTINGS, ready), Timings())
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
        "languages": {name: share([bool(c.faults) for c in offered if c.place.language == name]) for name in ENDINGS},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--answers", type=Path, help="a file of JSON lines, to take answers from and to add to")
    parser.add_argument("--seconds", type=float, default=math.inf, help="ask no more after so long; 0: only --answers")
    parser.add_argument("--made-up", action="store_true", help="made-up answers instead of a model's")
    parser.add_argument("--show", action="store_true", help="show the offers with faults")
    parser.add_argument("--sources", type=Path, default=Path(".heron/bench-sources"))
    arguments = parser.parse_args()
    cases = asyncio.run((measure_made_up if arguments.made_up else measure)(arguments))
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
