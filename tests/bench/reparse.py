"""How long a tree takes to follow one edit, in each language, and redaction to go through a prompt. Prints JSON.

    python tests/bench/reparse.py --lines 10000

The documents are the samples of the tests, repeated. A letter is typed at the end of a random line and deleted; timed
is the way from the new text to the tree of the language at that place: what is embedded is looked for, too.
"""

import argparse
import json
import math
import random
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from heron.editor.document import Document, Edit, Position, Range
from heron.editor.syntax import tree as module
from heron.editor.syntax.embedded import find_embedded
from heron.editor.syntax.languages import find_language
from heron.editor.syntax.tree import Tree, parse
from heron.editor.workspace import redact

EDITS = 60
PROMPT_CHARACTERS = 4096
_LUA_END = "return M\n"
_ONCE = re.compile(rf"^(?:{_LUA_END}|<\?php\n|package \w+\n|namespace [\w\\\\]+;\n)", re.MULTILINE)
SAMPLES = Path(__file__).parents[1] / "unit" / "editor" / "syntax" / "samples"


def repeat(text: str, count: int) -> str:
    """Whole copies, about so many lines: what may stand only at a file's start or end is left out of the others."""
    once = _ONCE.sub("", text)
    return text.replace(_LUA_END, "") + once * (count // max(1, once.count("\n")))


def time_edits(document: Document) -> list[float]:
    """Milliseconds after each of some edits all over a document."""
    trees: dict[str, Tree | None] = {}
    spent = []
    for number, position in enumerate(draw_places(document)):
        for edited in type_and_delete(document, position, 2 * number + 1):
            edited.line_starts  # noqa: B018 - the server has them already
            start = time.perf_counter()
            code = find_embedded(edited, position)
            tree = parse(code, trees.get(code.language))
            spent.append(1000 * (time.perf_counter() - start))
            if trees.setdefault(code.language, tree) is None:
                return [math.nan]  # took longer than a parse may
            trees[code.language] = tree
    return sorted(spent[EDITS // 3 :])  # the first trees of each language are made whole


def draw_places(document: Document) -> list[Position]:
    chance = random.Random(1)
    lines = [chance.randrange(document.num_lines) for _ in range(EDITS)]
    return [Position(line, len(document.line(line))) for line in lines]


def type_and_delete(document: Document, position: Position, version: int) -> Iterator[Document]:
    typed = document.edited([Edit(Range(position, position), "x")])
    yield replace(typed, version=version)
    yield replace(document, version=version + 1)


def time_languages(lines: int) -> dict[str, dict[str, float]]:
    found = {}
    for path in sorted(SAMPLES.iterdir()):
        language = find_language("", path.name)
        if language is not None and path.suffix != ".txt":
            text = repeat(path.read_text(encoding="utf-8"), lines)
            spent = time_edits(Document(path.as_uri(), 0, language.ids[0], text))
            median, high = statistics.median(spent), spent[len(spent) * 95 // 100]
            found[language.name] = {"median_ms": round(median, 2), "p95_ms": round(high, 2)}
    return found


def time_once(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return round(1000 * (time.perf_counter() - start), 3)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=10_000)
    count = parser.parse_args().lines
    redact.warm()
    prompt = repeat(Path(module.__file__).read_text(encoding="utf-8"), count)[:PROMPT_CHARACTERS]
    result = {
        "lines": count,
        "edits": time_languages(count),
        "redact_4kb_first_ms": time_once(lambda: redact.redact(prompt)),
        "redact_4kb_next_key_ms": time_once(lambda: redact.redact(prompt + "x")),
    }
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
