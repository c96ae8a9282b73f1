"""The tool `git_diff`."""

import os
from dataclasses import dataclass
from pathlib import Path

from heron.editor.tools.arguments import argument
from heron.editor.tools.children import Ended
from heron.editor.tools.git import open_repository, run_git
from heron.editor.tools.threads import run_in_thread
from heron.editor.tools.tool import Scene, ToolResult
from heron.editor.tools.visible import locate_visible, show_path
from heron.errors import InvalidRequest

MAX_FILES = 100
_FLAGS = ("--no-ext-diff", "--no-textconv", "--ignore-submodules=all", "--no-renames", "--relative")


@dataclass(frozen=True, slots=True)
class GitDiff:
    """Show uncommitted changes in the workspace as a diff."""

    path: str = argument("Only this path", default="")
    is_staged: bool = argument("Only what is staged for the next commit", default=False)


async def git_diff(arguments: GitDiff, scene: Scene) -> ToolResult:
    """The changes of tracked files; those of private and ignored ones are left out."""
    folder, path = await run_in_thread(lambda: _locate(arguments.path, scene))
    repository = await open_repository(folder)
    question = ("diff", *_FLAGS, *(["--cached"] if arguments.is_staged else ["HEAD"]))
    listed = _check(await run_git(repository, folder, *question, "--name-only", "-z", "--", path))
    names = [name for name in listed.output.split("\0") if name]
    shown = await run_in_thread(lambda: [name for name in names if show_path(scene, folder / name)])
    if not shown:
        return ToolResult("No changes.")
    ended = _check(await run_git(repository, folder, *question, "--", *shown[:MAX_FILES]))
    more = f"\n[{len(shown) - MAX_FILES} more files]" if len(shown) > MAX_FILES else ""
    return ToolResult(ended.output + more)


def _locate(path: str, scene: Scene) -> tuple[Path, str]:
    """The folder git works in, and the path inside it."""
    if not scene.workspace.folders:
        raise InvalidRequest("No folder is open.")
    located = locate_visible(scene, path) if path else scene.workspace.folders[0]
    folder = scene.workspace.folder_of(located)
    assert folder is not None, "located paths lie in a folder"
    return folder, os.path.relpath(located, folder)


def _check(ended: Ended) -> Ended:
    if ended.exit_code and not ended.is_cut:
        said = ended.output.strip().splitlines()
        raise InvalidRequest(f"git cannot tell: {said[0][:300] if said else f'exit code {ended.exit_code}'}.")
    return ended
