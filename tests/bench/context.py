"""How long it takes to put together what a prompt shows of other files, in a workspace of a million lines. Prints JSON.

    python tests/bench/context.py --folder FOLDER [--lines 1000000] [--places 300]

The workspace is that of `index.py`. Places are random lines of random files, each as after a jump: nothing was looked
for ahead. `assemble` is the whole of `Surroundings.find`; `late_percent` of the places went without a source that took
longer than its limit. `sources` are the same questions asked one by one, without a limit.
"""

import argparse
import asyncio
import gc
import json
import random
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.index import make_corpus
from heron.editor.context.assemble import sources
from heron.editor.context.choose import Allowance
from heron.editor.context.estimate import estimate_tokens
from heron.editor.context.graph import Graph
from heron.editor.context.index.index import Index
from heron.editor.context.scope import read_scope
from heron.editor.context.surroundings import Surroundings
from heron.editor.context.view import Scenery, Spot, View
from heron.editor.document import Document, Position
from heron.editor.lsp.pauses import SWITCH_S
from heron.editor.syntax.languages import find_language
from heron.editor.syntax.tree import parse
from heron.editor.workspace import redact
from heron.editor.workspace.folders import open_workspace
from heron.settings import CompletionSettings

SKIPPED = 20
"""Places to warm up."""


def draw_spots(corpus: Path, count: int, seed: int) -> list[Spot]:
    """Random places in code, the cursor at the end of a line's text or behind a dot in it."""
    chance = random.Random(seed)
    paths = [path for path in sorted(corpus.rglob("*")) if (found := find_language("", path.name)) and found.is_code]
    spots: list[Spot] = []
    while len(spots) < count:
        path = chance.choice(paths)
        language = find_language("", path.name)
        document = Document(path.as_uri(), 1, language.ids[0] if language else "", path.read_text(errors="replace"))
        line = chance.randrange(document.num_lines)
        text = document.line(line)
        if text.strip() and len(document.text) < 200_000:
            dot = text.find(".")
            column = dot + 1 if dot >= 0 and chance.random() < 0.5 else len(text)
            spots.append(Spot(document, Position(line, column), parse(document)))
    return spots


async def time_whole(index: Index, spots: list[Spot]) -> dict[str, float]:
    surroundings = Surroundings(lambda: Scenery(index))
    allowance = Allowance(CompletionSettings().context_tokens, estimate_tokens)
    spent, late, shown = [], 0, 0
    for spot in spots:
        start = time.perf_counter()
        await surroundings.find(spot, allowance)
        beyond = surroundings.ready(spot, allowance)
        spent.append(1000 * (time.perf_counter() - start))
        late += beyond.is_partial
        shown += bool(beyond.choices)
        await surroundings.explain(spot, allowance)  # what was late ends before the next place is timed
        surroundings.forget(spot.document.uri)
    surroundings.close()
    share = {"late_percent": 100 * late / len(spots), "shown_percent": 100 * shown / len(spots)}
    return quantiles(spent[SKIPPED:]) | {name: round(value, 1) for name, value in share.items()}


def time_sources(index: Index, spots: list[Spot]) -> dict[str, dict[str, float]]:
    spent: dict[str, list[float]] = defaultdict(list)
    for spot in spots:
        path = Path(spot.document.uri.removeprefix("file://"))
        view = View(spot, path, read_scope(spot.document, spot.position, spot.tree), Scenery(index), {})
        for name, source in sources().items():
            start = time.perf_counter()
            list(source(view))
            spent[name].append(1000 * (time.perf_counter() - start))
    return {name: quantiles(times[SKIPPED:]) for name, times in spent.items()}


def time_graph(index: Index, path: Path) -> float:
    """Seconds to make the graph and rank it for one file, in the thread where it is done."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as executor:
        start = time.perf_counter()
        Graph(index, executor).prepare(path)
        executor.shutdown(wait=True)
        return round(time.perf_counter() - start, 2)


def quantiles(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {"median_ms": round(statistics.median(ordered), 2), "p95_ms": round(ordered[len(ordered) * 95 // 100], 2)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--places", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    corpus = arguments.folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    lines = make_corpus(corpus, arguments.lines)
    index = Index.open(arguments.folder / "cache", open_workspace([corpus]))
    index.scan(lambda progress: None)
    spots = draw_spots(corpus.resolve(), arguments.places + SKIPPED, arguments.seed)
    graph_s = time_graph(index, Path(spots[0].document.uri.removeprefix("file://")))
    redact.warm()
    sys.setswitchinterval(SWITCH_S)  # as in `heron lsp`
    gc.freeze()
    result = {
        "lines": lines,
        "assemble": asyncio.run(time_whole(index, spots)),
        "sources": time_sources(index, spots),
        "graph_and_first_ranks_s": graph_s,
    }
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
