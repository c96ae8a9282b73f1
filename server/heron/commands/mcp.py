"""`heron mcp`: Heron's tools as an MCP server on stdin and stdout, over the folder it is started in."""

import argparse
import asyncio
import importlib.util
import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from heron.errors import HeronError, IntegrationError, InvalidRequest
from heron.settings import cache_folder, load_settings

if TYPE_CHECKING:
    from heron.editor.context.index.index import Index
    from heron.editor.workspace.folders import Workspace

logger = logging.getLogger(__name__)

_NEED_EDITOR = ("apply_edit", "diagnostics", "open_documents")


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("mcp", help="offer Heron's tools to MCP clients, on stdin and stdout")
    parser.add_argument("folder", nargs="*", type=Path, help="folders the tools may see (default: this one)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until the client hangs up."""
    if importlib.util.find_spec("mcp") is None:
        raise IntegrationError("heron mcp needs the package mcp.", hint="pip install 'heron-lsp[mcp]' brings it.")
    folders = arguments.folder or [Path.cwd()]
    if missing := [folder for folder in folders if not folder.is_dir()]:
        raise InvalidRequest(f"{str(missing[0])!r} is not a folder.")
    asyncio.run(_serve(folders))
    return 0


async def _serve(folders: list[Path]) -> None:
    from heron.editor.tools.builtin import make_tools
    from heron.editor.tools.mcp.serve import serve_tools
    from heron.editor.tools.registry import Registry
    from heron.editor.tools.threads import run_in_thread
    from heron.editor.tools.tool import Scene
    from heron.editor.workspace.folders import open_workspace

    workspace = open_workspace(folders)
    registry = Registry()
    for tool in make_tools(load_settings().tools):
        if tool.spec.name not in _NEED_EDITOR:
            registry.add(tool)
    index = await asyncio.to_thread(_open_index, workspace)
    scanning = asyncio.create_task(run_in_thread(partial(_scan, index)))
    try:
        await serve_tools(registry, Scene(workspace, index=index))
    finally:
        if index is not None:
            await asyncio.to_thread(index.close)  # ends the scan, too
        await scanning


def _open_index(workspace: "Workspace") -> "Index | None":
    """The index as it was left; None, which the tools tell of, where it cannot be had."""
    from heron.editor.context.index.index import Index

    try:
        return Index.open(cache_folder() / "index", workspace)
    except HeronError as error:
        logger.warning("There is no index: %s", error)
        return None


def _scan(index: "Index | None") -> None:
    """Bring the index up to date; the tools answer meanwhile from what it has."""
    try:
        if index is not None:
            index.scan(lambda progress: None)
    except HeronError as error:
        logger.warning("The index is not up to date: %s", error)
