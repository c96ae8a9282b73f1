"""What of a workspace tools may see: nothing private, nothing that ignore files name, nothing outside."""

from pathlib import Path

from heron.editor.tools.tool import Scene
from heron.editor.workspace.folders import Workspace
from heron.editor.workspace.ignore import NAMES, ignores_above
from heron.errors import HeronError, OutsideWorkspace


def locate_visible(scene: Scene, text: str) -> Path:
    """The path that is meant, if a tool may see it; it need not exist."""
    path = scene.workspace.locate(text)
    if reason := find_veil(scene.workspace, path):
        raise OutsideWorkspace(f"{text!r} is {reason}: tools neither read nor change it.")
    return path


def find_veil(workspace: Workspace, path: Path) -> str:
    """Why a located path is not for tools: `private` or `ignored`; empty if it is."""
    if workspace.is_private(path):
        return "private"
    return "ignored" if is_ignored(workspace, path) else ""


def is_ignored(workspace: Workspace, path: Path) -> bool:
    """Whether ignore files of the workspace or of the repository around it name a path or a folder above it."""
    folder = workspace.folder_of(path)
    if folder is None:
        return True
    ignores, here = ignores_above(folder), folder
    for part in path.relative_to(folder).parts:
        ignores = ignores.enter(str(here), NAMES)
        here /= part
        is_folder = here != path or path.is_dir()
        if ignores.is_ignored(str(here) + ("/" if is_folder else "")):
            return True
    return False


def show_path(scene: Scene, path: Path) -> str:
    """How tools tell a path an editor gave; empty for one they may not see."""
    try:
        located = locate_visible(scene, str(path))
    except HeronError:
        return ""
    return scene.workspace.relative(located)
