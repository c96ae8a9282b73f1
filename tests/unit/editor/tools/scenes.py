"""Workspaces and scenes for the tests of single tools."""

import json
from pathlib import Path

from heron.editor.document import Document
from heron.editor.tools.builtin import make_tools
from heron.editor.tools.consent import ConsentQuestion
from heron.editor.tools.registry import Registry
from heron.editor.tools.tool import Scene, ToolOutcome
from heron.editor.workspace.folders import open_workspace
from heron.settings import ToolsSettings
from heron.wire import ToolCall


def scene_of(folder: Path, *documents: Document) -> Scene:
    return Scene(open_workspace([folder]), lambda: documents)


def put(folder: Path, **files: str) -> None:
    """Write files by name, `__` standing for the dot."""
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_bytes(text.encode())


async def call(scene: Scene, tool: str, **arguments: object) -> ToolOutcome:
    """Call one of Heron's own tools, with everything permitted."""
    registry = Registry()
    for made in make_tools(ToolsSettings()):
        registry.add(made)
    return await registry.run(ToolCall("1", tool, json.dumps(arguments)), scene, _permit)


async def _permit(question: ConsentQuestion) -> bool:
    return True
