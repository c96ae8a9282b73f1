"""A typing trace: what was added between two releases of a package, typed into the older one."""

import difflib
import math
import random
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_KEY = re.compile(r"\n[ \t]*|.", re.DOTALL)
_MEDIAN_S = 0.18
_SPREAD = 0.45
_SHORTEST_S, _LONGEST_S = 0.05, 2.0
_FEWEST_KEYS, _MOST_KEYS = 12, 120


@dataclass(frozen=True, slots=True)
class Key:
    """What one key press inserts, and the seconds until the next. Enter brings the indentation along."""

    text: str
    pause_s: float


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of typing: the cursor stands between `before` and `after`."""

    path: str
    before: str
    after: str
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Release:
    package: str
    version: str


def make_trace(old: Release, new: Release, num_keys: int, seed: int) -> list[Segment]:
    """Segments in a random order until they have so many keys; the same for the same seed."""
    chance = random.Random(seed)
    old_files, new_files = _download(old), _download(new)
    segments = [
        segment
        for path in sorted(old_files.keys() & new_files.keys())
        for segment in _segments(path, old_files[path], new_files[path], chance)
    ]
    chance.shuffle(segments)
    chosen: list[Segment] = []
    for segment in segments:
        if sum(len(taken.keys) for taken in chosen) >= num_keys:
            break
        chosen.append(segment)
    return chosen


def _segments(path: str, old: str, new: str, chance: random.Random) -> Iterator[Segment]:
    """The added stretches of a file, top to bottom; what is above a stretch is new already, what is below still old."""
    old_lines, new_lines = old.splitlines(keepends=True), new.splitlines(keepends=True)
    matcher = difflib.SequenceMatcher(None, old_lines, new_lines, autojunk=False)
    for kind, _, old_end, start, end in matcher.get_opcodes():
        typed = "\n" + "".join(new_lines[start:end]).removesuffix("\n")
        keys = _KEY.findall(typed)
        if kind in ("insert", "replace") and start > 0 and _FEWEST_KEYS <= len(keys) <= _MOST_KEYS:
            before = "".join(new_lines[:start]).removesuffix("\n")
            after = "\n" + "".join(old_lines[old_end:])
            yield Segment(path, before, after, tuple(Key(key, _pause(chance)) for key in keys))


def _pause(chance: random.Random) -> float:
    """Gaps between keys are about log-normal (Dhakal and others, CHI 2018)."""
    pause_s = chance.lognormvariate(math.log(_MEDIAN_S), _SPREAD)
    return min(max(pause_s, _SHORTEST_S), _LONGEST_S)


def _download(release: Release) -> dict[str, str]:
    """The Python sources of a release by path, read from its wheel."""
    with tempfile.TemporaryDirectory() as folder:
        requirement = f"{release.package}=={release.version}"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*command, "--dest", folder, requirement], check=True)
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            names = [name for name in wheel.namelist() if name.endswith(".py")]
            return {name: wheel.read(name).decode() for name in names}
