"""The bundled sample workspace: real code with places cut out for the model to fill in."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Hole:
    """A sample document with a piece cut out: the cursor stands between `before` and `after`."""

    path: Path
    before: str
    after: str
    original: str


def sample_folder() -> Path:
    return Path(str(files("heron.samples")))


def read_holes() -> list[Hole]:
    """The holes of `demo.toml`, in its order."""
    folder = sample_folder()
    table = tomllib.loads((folder / "demo.toml").read_text(encoding="utf-8"))
    return [_cut(folder / row["document"], row["after"], row["hole"]) for row in table["hole"]]


def _cut(path: Path, anchor: str, original: str) -> Hole:
    before, found, after = path.read_text(encoding="utf-8").partition(anchor + original)
    if not found or anchor + original in after:
        raise ValueError(f"{path.name}: {anchor + original!r} does not occur exactly once")
    return Hole(path, before + anchor, after, original)
