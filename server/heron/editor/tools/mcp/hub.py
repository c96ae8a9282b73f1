"""All MCP servers of one editor, on a thread of their own."""

import asyncio
import importlib.util
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heron.editor.tools.mcp.config import ServerConfig
from heron.editor.tools.mcp.loop_thread import LoopThread
from heron.editor.tools.mcp.tool import McpTool, adopt_tool
from heron.errors import IntegrationError

if TYPE_CHECKING:
    from mcp_types import CallToolResult, Tool

    from heron.editor.tools.mcp.server import McpServer

CLOSE_TIMEOUT_S = 10.0


class Hub:
    """Starts servers and hands out their tools. `logs` is where what they write to stderr goes."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._thread = LoopThread("heron-mcp")
        self._servers: list[McpServer] = []

    async def open(self, configs: tuple[ServerConfig, ...]) -> AsyncIterator[tuple[McpTool, ...] | IntegrationError]:
        """Start all servers at once; yields each one's tools, or why it has none, as they come."""
        if importlib.util.find_spec("mcp") is None:
            yield IntegrationError("MCP servers need the package mcp.", hint="pip install 'heron-lsp[mcp]' brings it.")
            return
        for done in asyncio.as_completed([self._open(config) for config in configs]):
            try:
                yield await done
            except IntegrationError as error:
                yield error

    async def close(self) -> None:
        """End all servers."""
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._thread.run(_close_all(self._servers))
        except TimeoutError:
            pass  # the thread's end cancels what is left
        await self._thread.stop()

    async def _open(self, config: ServerConfig) -> tuple[McpTool, ...]:
        server, tools = await self._thread.run(self._start(config))
        call = partial(self._call, server)
        return tuple(adopt_tool(config.name, tool, call) for tool in tools)

    async def _start(self, config: ServerConfig) -> "tuple[McpServer, list[Tool]]":
        from heron.editor.tools.mcp.server import McpServer

        server = McpServer(config, self._logs / f"mcp-{config.name}.log")
        self._servers.append(server)
        return server, await server.open()

    async def _call(self, server: "McpServer", tool: str, arguments: dict[str, Any]) -> "CallToolResult":
        return await self._thread.run(server.call(tool, arguments))


async def _close_all(servers: "list[McpServer]") -> None:
    await asyncio.gather(*(server.close() for server in servers), return_exceptions=True)
