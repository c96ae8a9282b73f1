"""An MCP server that is kept usable: it is started again once when it ends."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heron.editor.tools.mcp.config import ServerConfig
from heron.editor.tools.mcp.connection import Connection, ServerGone
from heron.errors import IntegrationError

if TYPE_CHECKING:
    from mcp_types import CallToolResult, Tool

MAX_RESTARTS = 1


class McpServer:
    """A server and its present connection. Everything runs on the loop of `loop_thread`."""

    def __init__(self, config: ServerConfig, log: Path) -> None:
        self._config, self._log = config, log
        self._connection: Connection | None = None
        self._restarts = 0
        self._lock = asyncio.Lock()

    async def open(self) -> "list[Tool]":
        """Start it and list its tools. Raises IntegrationError."""
        connection = Connection(self._config, self._log)
        tools = await connection.open()
        self._connection = connection
        return tools

    async def call(self, tool: str, arguments: dict[str, Any]) -> "CallToolResult":
        """Call a tool. A call during which the server ends is not repeated: it may have done its work."""
        connection = self._connection
        if connection is None:
            raise IntegrationError(f"The MCP server {self._config.name} ended again and is not started any more.")
        try:
            return await connection.call(tool, arguments)
        except ServerGone as gone:
            raise ServerGone(gone.message, hint=await self._replace(connection)) from gone

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def _replace(self, ended: Connection) -> str:
        """Start the server again unless that was done before; what to tell of it."""
        async with self._lock:
            if self._connection is not ended:
                return "It was started again." if self._connection else "It is not started any more."
            self._connection = None
            await ended.close()
            if self._restarts >= MAX_RESTARTS:
                return "It ended before and is not started again."
            self._restarts += 1
            try:
                await self.open()
            except IntegrationError as error:
                return f"It could not be started again: {error}"
            return "It was started again; the call may be repeated."
