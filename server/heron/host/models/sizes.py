"""Sizes of files that others may write, move or delete at the same time."""

import os
from collections.abc import Iterator
from pathlib import Path


def largest_file_bytes(folder: Path) -> int:
    """Size of the largest file under a folder; 0 if there is none."""
    return max(file_sizes(folder), default=0)


def file_sizes(folder: Path) -> Iterator[int]:
    """The size of each file under a folder; none if it is not there."""
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                yield os.stat(os.path.join(parent, name)).st_size
            except FileNotFoundError:  # gone since it was listed
                continue
