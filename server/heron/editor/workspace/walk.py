"""Walking the files of a workspace: what is ignored, private, too large or no text by its name is left out.

Symbolic links are not followed: a target inside is met on its own, one outside is not ours, and loops cannot form.
"""

import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from heron.editor.workspace.file_kinds import SKIPPED_FOLDERS, is_binary_name, is_generated_name
from heron.editor.workspace.folders import Workspace
from heron.editor.workspace.ignore import NAMES, Ignores, ignores_above

MAX_FILE_BYTES = 1_000_000
MAX_DEPTH = 64

Reason = Literal["ignored", "private", "link", "special", "binary", "generated", "large", "empty", "unreadable", "deep"]


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the workspace as `stat` saw it."""

    path: str
    size: int
    mtime_ns: int


def walk(workspace: Workspace) -> Iterator[Path]:
    """The text files of a workspace that may be shown to a model, folder by folder in order of their names."""
    return (Path(found.path) for found in walk_files(workspace, Counter()))


def walk_files(workspace: Workspace, skipped: Counter[Reason]) -> Iterator[Found]:
    """The same with size and time; why files and folders were left out is counted in `skipped`."""
    for folder in workspace.folders:
        if any(folder != other and folder.is_relative_to(other) for other in workspace.folders):
            continue  # met on the way through the outer folder
        yield from _Walker(workspace, folder, skipped).walk(str(folder), ignores_above(folder), 0)


def find_file(workspace: Workspace, path: Path) -> Found | None:
    """A single file as the walk would find it; None if it would not."""
    folder = workspace.folder_of(path)
    if folder is None or path == folder:
        return None
    *above, name = path.relative_to(folder).parts
    here, ignores, walker = str(folder), ignores_above(folder), _Walker(workspace, folder, Counter())
    for part in above:
        ignores, below = ignores.enter(here, NAMES), os.path.join(here, part)
        if walker.judge_folder(below, part, ignores) or os.path.islink(below):
            return None
        here = below
    found = walker.judge_file(os.path.join(here, name), name, ignores.enter(here, NAMES))
    return found if isinstance(found, Found) else None


class _Walker:
    """One pass through one folder."""

    def __init__(self, workspace: Workspace, folder: Path, skipped: Counter[Reason]) -> None:
        self._is_private = workspace.is_private_name
        self._base = len(str(folder).rstrip("/")) + 1
        self._skipped = skipped

    def walk(self, folder: str, ignores: Ignores, depth: int) -> Iterator[Found]:
        entries = self._list(folder)
        if depth > MAX_DEPTH or entries is None:
            self._skipped["deep" if depth > MAX_DEPTH else "unreadable"] += 1
            return
        names = {entry.name for entry in entries}
        if depth and "pyvenv.cfg" in names:
            self._skipped["ignored"] += 1
            return
        inside = ignores.enter(folder, names)
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if reason := self.judge_folder(entry.path, entry.name, inside):
                    self._skipped[reason] += 1
                else:
                    yield from self.walk(entry.path, inside, depth + 1)
                continue
            found = self.judge_file(entry.path, entry.name, inside)
            if isinstance(found, Found):
                yield found
            else:
                self._skipped[found] += 1

    def judge_folder(self, path: str, name: str, ignores: Ignores) -> Reason | None:
        """Why a folder is not entered; None if it is."""
        if name in SKIPPED_FOLDERS or ignores.is_ignored(path + "/"):
            return "ignored"
        return "private" if self._is_private(path[self._base :]) else None

    def judge_file(self, path: str, name: str, ignores: Ignores) -> Found | Reason:
        """A file, or why it is left out."""
        if is_binary_name(name):
            return "binary"
        if is_generated_name(name):
            return "generated"
        if ignores.is_ignored(path):
            return "ignored"
        return "private" if self._is_private(path[self._base :]) else _look_at(path)

    def _list(self, folder: str) -> list[os.DirEntry[str]] | None:
        try:
            with os.scandir(folder) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except OSError:
            return None


def _look_at(path: str) -> Found | Reason:
    try:
        seen = os.lstat(path)
    except OSError:
        return "unreadable"
    if stat.S_ISLNK(seen.st_mode):
        return "link"
    if not stat.S_ISREG(seen.st_mode):
        return "special"
    if seen.st_size > MAX_FILE_BYTES:
        return "large"
    return Found(path, seen.st_size, seen.st_mtime_ns) if seen.st_size else "empty"
