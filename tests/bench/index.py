"""How fast a workspace of a million lines is indexed, opened again and asked. Prints JSON.

The corpus is made of this environment's own packages (Python, and what else lies there), copied again and again with
names changed until there are enough lines; names differ between copies, so that the index holds as many symbols as a
real project of that size would.

    python tests/bench/index.py --lines 1000000 --folder FOLDER
"""

import argparse
import json
import re
import resource
import statistics
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import psutil

from heron.editor.context.index import schema
from heron.editor.context.index.index import Index, database_path
from heron.editor.context.index.symbol import Progress
from heron.editor.workspace.folders import open_workspace

ENDINGS = (".py", ".pyi", ".js", ".ts", ".c", ".h", ".rs", ".go", ".java", ".md", ".css", ".sh")
WORD = re.compile(r"\b([A-Za-z_]{6,})\b")
SAMPLE_S = 0.1


def make_corpus(folder: Path, lines: int) -> int:
    """Fill a folder; the number of lines it has. One that is there already is used again."""
    marker = folder / ".lines"
    if marker.exists() and (made := int(marker.read_text())) >= lines:
        return made
    made = 0
    for copy, path, text in _sources():
        target = folder / f"part{copy}" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_rename(text, copy), encoding="utf-8")
        made += text.count("\n")
        if made >= lines:
            break
    marker.write_text(str(made))
    return made


def _sources() -> Iterator[tuple[int, Path, str]]:
    packages = Path(sysconfig.get_paths()["purelib"])
    paths = sorted(path for path in packages.rglob("*") if path.suffix in ENDINGS and path.is_file())
    for copy in range(100):
        for path in paths:
            text = path.read_text(encoding="utf-8", errors="replace")
            if len(text) < 500_000:
                yield copy, path.relative_to(packages), text


def _rename(text: str, copy: int) -> str:
    """A third of the longer names, others in each copy, get another ending."""
    if copy == 0:
        return text
    return WORD.sub(lambda match: f"{match[1]}{copy}" if sum(map(ord, match[1])) % 3 == 0 else match[1], text)


def measure(work: Callable[[], object]) -> dict[str, float]:
    """Seconds on the clock and of CPU time in child processes, and the most memory all of these had at once, in MiB."""
    done, peaks = Event(), [0.0]

    def watch() -> None:
        while not done.wait(SAMPLE_S):
            peaks.append(_children_mib())

    watcher = Thread(target=watch)
    watcher.start()
    start, used = time.perf_counter(), _children_cpu()
    try:
        work()
    finally:
        seconds = time.perf_counter() - start
        done.set()
        watcher.join()
    cpu = round(_children_cpu() - used, 2)
    return {"seconds": round(seconds, 2), "cpu_seconds": cpu, "peak_mib": round(max(peaks), 1)}


def _children_cpu() -> float:
    """Of processes that have ended, their children's included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _children_mib() -> float:
    total = 0
    for child in psutil.Process().children(recursive=True):
        try:
            total += child.memory_info().rss
        except psutil.Error:
            continue
    return total / 2**20


def ask(question: Callable[[str], object], names: list[str]) -> dict[str, float]:
    """Milliseconds of one question."""
    spent = []
    for name in names:
        start = time.perf_counter()
        question(name)
        spent.append(1000 * (time.perf_counter() - start))
    spent.sort()
    return {"median_ms": round(statistics.median(spent), 2), "p95_ms": round(spent[len(spent) * 95 // 100], 2)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    corpus, cache = arguments.folder / "corpus", arguments.folder / "cache"
    corpus.mkdir(parents=True, exist_ok=True)
    lines = make_corpus(corpus, arguments.lines)
    workspace = open_workspace([corpus])
    schema.remove_database(database_path(cache, workspace))
    index = Index.open(cache, workspace)
    reports: list[Progress] = []
    result = {"lines": lines, "first_scan": measure(lambda: index.scan(reports.append)), "files": reports[-1].total}
    result["scan_again"] = measure(lambda: index.scan(reports.append))
    start = time.perf_counter()
    reopened = Index.open(cache, workspace)
    found = reopened.find_symbols("main", 500)
    result["open_and_first_question_ms"] = round(1000 * (time.perf_counter() - start), 1)
    names = sorted({symbol.name for symbol in found} | {"parse", "Request", "read_text", "getItem", "tokenize", "Conf"})
    result["find_symbols"] = ask(reopened.find_symbols, names)
    result["find_references"] = ask(reopened.find_references, names)
    result["search_text"] = ask(lambda name: reopened.search_text(f"{name} open file and read lines"), names)
    path = max({symbol.path for symbol in found}, key=lambda path: path.stat().st_size)
    used = sorted(set(WORD.findall(path.read_text(errors="replace"))))[:50]
    result["definitions_of_50_names"] = ask(lambda _: reopened.definitions_of(used, path), names[:20])
    result["update_one_file"] = ask(lambda _: (path.touch(), reopened.update(path)), names[:20])
    result["database_mib"] = round(index.path.stat().st_size / 2**20, 1)
    result["this_process_mib"] = round(psutil.Process().memory_info().rss / 2**20, 1)
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
