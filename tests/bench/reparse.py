"""How long a tree takes to follow one edit, and redaction to go through a prompt. Prints JSON.

python tests/bench/reparse.py --lines 10000
"""

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from heron.editor.document import Document
from heron.editor.syntax import tree as module
from heron.editor.syntax.tree import parse
from heron.editor.workspace import redact

EDITS = 100
PROMPT_CHARACTERS = 4096


def make_lines(count: int) -> list[str]:
    source = Path(module.__file__).read_text(encoding="utf-8").split("\n")
    return (source * (count // len(source) + 1))[:count]


def time_edits(lines: list[str]) -> list[float]:
    """Milliseconds of the parse after each of some edits all over a document."""
    places = random.Random(1)
    tree, spent = parse(Document("file:///a.py", 0, "python", "\n".join(lines))), []
    for version in range(1, EDITS + 1):
        lines[places.randrange(len(lines))] += " # x"
        document = Document("file:///a.py", version, "python", "\n".join(lines))
        start = time.perf_counter()
        tree = parse(document, tree)
        spent.append(1000 * (time.perf_counter() - start))
        assert tree is not None
    return spent


def time_once(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return round(1000 * (time.perf_counter() - start), 3)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=10_000)
    count = parser.parse_args().lines
    spent = sorted(time_edits(make_lines(count)))
    redact.warm()
    prompt = "\n".join(make_lines(count))[:PROMPT_CHARACTERS]
    result = {
        "lines": count,
        "edit_median_ms": round(statistics.median(spent), 2),
        "edit_p95_ms": round(spent[len(spent) * 95 // 100], 2),
        "redact_4kb_first_ms": time_once(lambda: redact.redact(prompt)),
        "redact_4kb_next_key_ms": time_once(lambda: redact.redact(prompt + "x")),
    }
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
