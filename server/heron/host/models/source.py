"""What the sources of model files have in common: what they are asked, and how they fail."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from heron.host.models.catalog import CatalogEntry


class SourceFailed(Exception):
    """One source could not deliver; the message is the reason in a few words. The next source is tried."""


@dataclass(frozen=True, slots=True)
class Errand:
    """Fetch one model's file. What a source leaves in `folder` when interrupted, it goes on from the next time."""

    entry: CatalogEntry
    folder: Path
    """the model's own folder in the store; the caller holds its lock"""
    report: Callable[[int, int], None]
    """told bytes done and bytes in all"""
    check_space: Callable[[int], None]
    """told bytes still needed; raises DiskFull"""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole file, not checked yet, and the sha256 sums it may have."""

    path: Path
    checksums: frozenset[str]
