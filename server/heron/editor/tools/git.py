"""Run git on a repository that may be hostile: nothing its configuration names is run, nothing outside is read.

A repository's own settings can name programs (filters, external diffs, a file monitor, hooks), a work tree elsewhere,
or another repository; each is overruled or refused here. The user's own git settings are left out as well.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from heron.editor.tools.children import Command, Ended, run_child
from heron.editor.tools.threads import run_in_thread
from heron.errors import InvalidRequest

TIME_S = 5.0
OUTPUT_BYTES = 400_000
MAX_GITFILE_BYTES = 4096
_OVERRULED = (
    *("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.attributesFile=/dev/null", "diff.external="),
    *("color.ui=never", "core.quotePath=false", "core.untrackedCache=false", "safe.directory=*"),
)
_FILTER_OFF = ("clean=", "smudge=", "process=", "required=false")


@dataclass(frozen=True, slots=True)
class Repository:
    """A work tree and its git folder. `overruled` are settings passed on the command line."""

    top: Path
    git_folder: Path
    overruled: tuple[str, ...] = _OVERRULED


async def open_repository(folder: Path) -> Repository:
    """The repository around a folder, its filters switched off. Raises InvalidRequest where none can be used."""
    plain = await run_in_thread(lambda: _find_repository(folder))
    ended = await run_git(plain, folder, "config", "--null", "--name-only", "--get-regexp", r"^filter\.")
    drivers = {name.rpartition(".")[0] for name in ended.output.split("\0") if name}
    off = [f"{driver}.{part}" for driver in sorted(drivers) for part in _FILTER_OFF]
    return replace(plain, overruled=(*_OVERRULED, *off))


async def run_git(repository: Repository, folder: Path, *words: str) -> Ended:
    """Run one git command in a folder. Raises InvalidRequest when it takes too long; its exit code is the caller's."""
    options = [part for setting in repository.overruled for part in ("-c", setting)]
    ended = await run_child(Command(("git", *options, *words), folder, _environment(repository), TIME_S, OUTPUT_BYTES))
    if ended.timed_out:
        raise InvalidRequest(f"git took longer than {TIME_S:g} s.", hint="Ask for one path.")
    return ended


def _find_repository(folder: Path) -> Repository:
    top = next((path for path in (folder, *folder.parents) if os.path.lexists(path / ".git")), None)
    if top is None:
        raise InvalidRequest("The workspace is not in a git repository.")
    return Repository(top, _find_git_folder(top / ".git"))


def _find_git_folder(path: Path) -> Path:
    """The git folder; a file in its place counts if the worktree it names knows of it."""
    if path.is_symlink():
        raise InvalidRequest("The workspace's .git is a symbolic link, which tools do not follow.")
    if path.is_dir():
        return path
    target = _read_line(path).removeprefix("gitdir:").strip()
    named = Path(os.path.normpath(path.parent / target)) if target else path
    if _read_line(named / "gitdir") != str(path):
        raise InvalidRequest("The workspace's .git leads to a repository that does not know of it.")
    return named


def _read_line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_GITFILE_BYTES).decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _environment(repository: Repository) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "LC_ALL": "C.UTF-8",
        "GIT_DIR": str(repository.git_folder),
        "GIT_WORK_TREE": str(repository.top),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_PAGER": "cat",
    }
