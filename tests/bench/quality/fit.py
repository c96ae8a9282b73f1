"""How often what is offered does not fit where it is put: in real sources of five languages, with the real model.

    python tests/bench/quality/fit.py --count 400 [--cases fit.jsonl] [--sources FOLDER]

Uses the host of HERON_HOME. A place is made by cutting out of a file the rest of a line, a line, or some lines; what
the completer offers there is put in and the file is read anew. Cases already in `--cases` are not asked again, so that
a run can be cut short and gone on with. Prints JSON: shares with 95% intervals.
"""

import argparse
import asyncio
import json
import random
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.figures import describe_machine
from bench.quality.faults import FAULTS, find_faults
from bench.quality.shares import share
from bench.ready_client import open_ready_client
from bench.real_functions import ENDINGS, source_files
from heron.editor.context.surroundings import Surroundings
from heron.editor.document import Document
from heron.editor.features.ask import Ask
from heron.editor.features.complete import Completer
from heron.editor.features.timings import Timings
from heron.editor.syntax.tree import parse
from heron.settings import CompletionSettings

PLACES_PER_FILE = 12
STREAMS = 3
_MOST_CHARACTERS = 60_000
_SETTINGS = CompletionSettings(warm=False, ahead=False, timeout_ms=60_000)


@dataclass(frozen=True, slots=True)
class Place:
    """A file with a piece cut out at `offset`; `name` is the same at each run."""

    name: str
    language: str
    text: str
    offset: int


@dataclass(frozen=True, slots=True)
class Case:
    """What was offered at a place, and what is wrong with it."""

    name: str
    language: str
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
            yield _cut(Place(f"{path.name}:{number}", language, "", 0), lines, number, chance)


def _cut(place: Place, lines: list[str], number: int, chance: random.Random) -> Place:
    """Cut the rest of a line, a line, or up to four lines; the indentation stays, as an editor would put it."""
    line = lines[number]
    indent = len(line) - len(line.lstrip())
    kind = chance.choice(("rest", "line", "lines"))
    column = chance.randint(indent + 1, len(line)) if kind == "rest" else indent
    last = number + (chance.randint(1, 3) if kind == "lines" else 0)
    before = "".join(f"{above}\n" for above in lines[:number]) + line[:column]
    after = "".join(f"\n{below}" for below in lines[last + 1 :])
    return Place(f"{place.name}:{kind}", place.language, before + after, len(before))


async def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    known = {case.name: case for case in _read_cases(arguments.cases)}
    files = make_places(arguments.sources, arguments.count, arguments.seed)
    client = await open_ready_client()
    completer = Completer(client, Surroundings(lambda: None))
    gate = asyncio.Semaphore(STREAMS)

    async def ask_file(places: list[Place]) -> list[Case]:
        async with gate:
            return [known.get(place.name) or await _ask(completer, place, arguments.cases) for place in places]

    cases = [case for found in await asyncio.gather(*map(ask_file, files)) for case in found]
    completer.close()
    await client.close()
    return summarise(cases)


async def _ask(completer: Completer, place: Place, path: Path | None) -> Case:
    document = Document(f"file:///{place.name}", 1, place.language, place.text)

    async def ready() -> bool:
        return True

    texts = await completer.complete(Ask(document, document.position(place.offset), _SETTINGS, ready), Timings())
    completer.forget(document.uri)
    offer = texts[0] if texts else ""
    case = Case(place.name, place.language, offer, find_faults(document, place.offset, offer) if offer else ())
    if path is not None:
        _write_case(path, case)
    sys.stderr.write(".")
    sys.stderr.flush()
    return case


def _write_case(path: Path, case: Case) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(case)) + "\n")


def _read_cases(path: Path | None) -> list[Case]:
    if path is None or not path.exists():
        return []
    read = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [Case(case["name"], case["language"], case["offer"], tuple(case["faults"])) for case in read]


def summarise(cases: list[Case]) -> dict[str, Any]:
    """Shares of what was offered; of all places those where nothing was."""
    offered = [case for case in cases if case.offer]
    return {
        "silent": share([not case.offer for case in cases]),
        "any_fault": share([bool(case.faults) for case in offered]),
        "faults": {name: share([name in case.faults for case in offered]) for name in FAULTS},
        "languages": {name: share([bool(c.faults) for c in offered if c.language == name]) for name in ENDINGS},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=Path, help="a file of JSON lines, to go on from and to add to")
    parser.add_argument("--sources", type=Path, default=Path(".heron/bench-sources"))
    arguments = parser.parse_args()
    figures = asyncio.run(measure(arguments))
    print(
        json.dumps(
            {"bench": "fit", "seed": arguments.seed, "machine": describe_machine(), "figures": figures}, indent=2
        )
    )


if __name__ == "__main__":
    main()
