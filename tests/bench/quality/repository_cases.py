"""What each way offers for a hole, and a file of such cases, to which a run that was cut short goes on to write."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.quality.repository_holes import Hole


@dataclass(frozen=True, slots=True)
class Case:
    hole: Hole
    texts: Mapping[str, str]
    """What each way offers."""


def read_cases(path: str) -> list[Case]:
    """The cases of a file, one a line; none if there is no such file or no path."""
    if not path or not Path(path).is_file():
        return []
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return [Case(Hole(**one["hole"]), one["texts"]) for one in map(json.loads, lines)]


def add_case(path: str, case: Case) -> None:
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(case)) + "\n")
