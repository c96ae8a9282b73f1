"""The folders of one client, and the rule that nothing outside them is ever touched.

Whatever a model or a user wrote as a path goes through `Workspace.locate`. Opening what was located goes through
`opening.open_inside`, which checks again while it opens.
"""

import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from heron.editor.workspace.private import compile_private
from heron.editor.workspace.uris import path_of_uri
from heron.errors import InvalidRequest, OutsideWorkspace

MAX_PATH_CHARACTERS = 4096


@dataclass(frozen=True)
class Workspace:
    """Folders with all symbolic links resolved (`open_workspace` does that), the first one being the main one.

    `exclude` are patterns of the setting `context.exclude`, written as in .gitignore.
    """

    folders: tuple[Path, ...] = ()
    exclude: tuple[str, ...] = ()

    def locate(self, text: str) -> Path:
        """The real path of what was written: relative to a folder, absolute, or a file URI.

        It need not exist; if it does, it is a regular file or a folder. Of several folders the first that has the
        path is meant, and its first part may name one of them. Raises InvalidRequest or OutsideWorkspace.
        """
        _check_text(text)
        candidates = [_resolve(path, text) for path in self._candidates(text)]
        inside = [path for path in candidates if self.folder_of(path) is not None]
        if not inside:
            raise OutsideWorkspace(f"{text!r} is outside the workspace.", hint=self._allowed())
        path = next((path for path in inside if os.path.lexists(path)), inside[0])
        _check_kind(path, text)
        return path

    def folder_of(self, path: Path) -> Path | None:
        """The innermost folder that holds an absolute, resolved path."""
        holding = [folder for folder in self.folders if path.is_relative_to(folder)]
        return max(holding, key=lambda folder: len(folder.parts), default=None)

    def relative(self, path: Path) -> str:
        """How a path inside is shown: relative to its folder, led by the folder's name if there are several."""
        folder = self.folder_of(path)
        if folder is None:
            raise OutsideWorkspace(f"{str(path)!r} is outside the workspace.", hint=self._allowed())
        shown = path.relative_to(folder)
        return str(Path(folder.name) / shown if len(self.folders) > 1 else shown)

    def is_private(self, path: Path) -> bool:
        """Whether a path inside is never read for a prompt: key files and the like, and what `exclude` names."""
        folder = self.folder_of(path)
        return folder is None or self.is_private_name(str(path.relative_to(folder)))

    @cached_property
    def is_private_name(self) -> Callable[[str], bool]:
        """The same for a path relative to its folder, fit for many calls."""
        return compile_private(self.exclude)

    def _candidates(self, text: str) -> list[Path]:
        """The absolute paths that may be meant."""
        path = path_of_uri(text) if text.startswith("file:") else Path(text)
        if path is None:
            raise InvalidRequest(f"{text!r} is not a file URI of this machine.", param="path")
        if path.is_absolute():
            return [path]
        named = [folder.parent / path for folder in self.folders if path.parts[:1] == (folder.name,)]
        return [*(folder / path for folder in self.folders), *(named if len(self.folders) > 1 else ())]

    def _allowed(self) -> str:
        if not self.folders:
            return "No folder is open."
        return f"Allowed: paths relative to {', '.join(folder.name or str(folder) for folder in self.folders)}."


def open_workspace(folders: Iterable[Path], exclude: tuple[str, ...] = ()) -> Workspace:
    """A workspace of those folders that exist, links resolved, each once."""
    real = dict.fromkeys(Path(os.path.realpath(folder)) for folder in folders)
    return Workspace(tuple(folder for folder in real if folder.is_dir()), exclude)


def _check_text(text: str) -> None:
    if not text.strip() or len(text) > MAX_PATH_CHARACTERS:
        raise InvalidRequest(f"A path has 1 to {MAX_PATH_CHARACTERS} characters.", param="path")
    if any(ord(character) < 32 or "\ud800" <= character <= "\udfff" for character in text):
        raise InvalidRequest(f"The path {text!r} has control characters or broken text.", param="path")


def _resolve(path: Path, text: str) -> Path:
    """The real path. Refuses `..` outright: what it means depends on the links on the way."""
    if ".." in path.parts:
        raise OutsideWorkspace(f"{text!r} contains '..'.", hint="Write the path without it.")
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"The path {text!r} cannot be resolved.", param="path") from error


def _check_kind(path: Path, text: str) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise InvalidRequest(f"The path {text!r} cannot be looked at: {error.strerror}.", param="path") from error
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise InvalidRequest(f"{text!r} is neither a file nor a folder.", param="path")
