"""The tool `list_directory`."""

import os
from dataclasses import dataclass
from pathlib import Path

from heron.editor.tools.arguments import argument
from heron.editor.tools.tool import Scene, ToolResult
from heron.editor.tools.visible import find_veil, locate_visible
from heron.errors import InvalidRequest

MAX_ENTRIES = 200


@dataclass(frozen=True, slots=True)
class ListDirectory:
    """List the files and folders in a folder of the workspace."""

    path: str = argument("Folder in the workspace", default=".")


def list_directory(arguments: ListDirectory, scene: Scene) -> ToolResult:
    """Names in order, folders with a slash; private ones and links to elsewhere are left out."""
    folder = locate_visible(scene, arguments.path)
    if not folder.is_dir():
        raise InvalidRequest(f"{arguments.path!r} is not a folder.", hint="read_file reads files.")
    names = sorted(_list_names(scene, folder))
    more = f"\n[{len(names) - MAX_ENTRIES} more]" if len(names) > MAX_ENTRIES else ""
    return ToolResult(("\n".join(names[:MAX_ENTRIES]) or "[empty]") + more)


def _list_names(scene: Scene, folder: Path) -> list[str]:
    names = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                scene.check()
                path = folder / entry.name
                if not entry.is_symlink() and not find_veil(scene.workspace, path):
                    names.append(entry.name + ("/" if entry.is_dir() else ""))
    except OSError as error:
        raise InvalidRequest(f"{folder.name!r} cannot be listed: {error.strerror}.") from error
    return names
