"""The tools of one editor: Heron's own, those of installed packages, and those of MCP servers."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from heron.editor.tools.builtin import make_tools
from heron.editor.tools.mcp.config import read_config
from heron.editor.tools.plugins import find_plugins
from heron.editor.tools.registry import Registry
from heron.editor.tools.threads import run_in_thread
from heron.editor.tools.tool import Tool
from heron.errors import HeronError
from heron.settings import ToolsSettings

if TYPE_CHECKING:
    from heron.editor.tools.mcp.hub import Hub

logger = logging.getLogger(__name__)

PLUGIN_TIMEOUT_S = 20.0

Tell = Callable[[str], None]


class Toolbox:
    """A registry and what keeps it full. `tell` hears a sentence for people of each tool that could not be had."""

    def __init__(self, settings: ToolsSettings, home: Path, tell: Tell = logger.warning) -> None:
        self.registry = Registry()
        self._settings, self._home, self._tell = settings, home, tell
        self._hub: Hub | None = None
        self._opening: asyncio.Task[None] | None = None
        self._add("Heron", make_tools(settings))

    def open(self) -> None:
        """Load plugins and start MCP servers in the background; their tools come in as they are there."""
        if self._opening is None:
            self._opening = asyncio.get_running_loop().create_task(self._open())

    async def opened(self) -> None:
        """Wait until every plugin is loaded and every MCP server has answered, or failed."""
        if self._opening is not None:
            await self._opening

    async def close(self) -> None:
        """End the MCP servers."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        if self._hub is not None:
            await self._hub.close()

    async def _open(self) -> None:
        if self._settings.plugins:
            await self._open_plugins()
        if self._settings.mcp:
            await self._open_servers()

    async def _open_servers(self) -> None:
        try:
            configs = await asyncio.to_thread(read_config, self._home)
        except HeronError as error:
            return self._tell(str(error))
        if not configs:
            return
        from heron.editor.tools.mcp.hub import Hub

        self._hub = Hub(self._home / "logs")
        async for found in self._hub.open(configs):
            if isinstance(found, HeronError):
                self._tell(str(found))
            else:
                self._add("an MCP server", found)

    async def _open_plugins(self) -> None:
        for plugin in find_plugins():
            try:
                async with asyncio.timeout(PLUGIN_TIMEOUT_S):
                    self.registry.add(await run_in_thread(plugin.load))
            except TimeoutError:
                self._tell(f"The tool {plugin.name} was left out: it takes longer to load than {PLUGIN_TIMEOUT_S:g} s.")
            except HeronError as error:
                self._tell(f"The tool {plugin.name} was left out: {error}")

    def _add(self, source: str, tools: Iterable[Tool]) -> None:
        for tool in tools:
            try:
                self.registry.add(tool)
            except HeronError as error:
                self._tell(f"A tool of {source} was left out: {error}")
