"""One connection to an MCP server, from its start until it closes or the server ends.

Everything here runs on the loop of `loop_thread`. The SDK wants a client to be entered and left by the same task, which
is what `_live` is for.
"""

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from heron.editor.tools.mcp.config import ServerConfig
from heron.errors import IntegrationError

if TYPE_CHECKING:
    from mcp import Client
    from mcp_types import CallToolResult, Tool

START_TIMEOUT_S = 60.0
MAX_PAGES = 20


class ServerGone(IntegrationError):
    """The server ended or hung up; what it was asked may or may not have been done."""

    code = "mcp_server_gone"


class Connection:
    """Made, then `open`ed once, then used by any number of calls at a time, then `close`d."""

    def __init__(self, config: ServerConfig, log: Path) -> None:
        self._config, self._log = config, log
        self._leave = asyncio.Event()
        self._opened: asyncio.Future[tuple[Client, list[Tool]]] = asyncio.get_running_loop().create_future()
        self._client: Client | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> "list[Tool]":
        """Start the server or reach it, and list its tools. Raises IntegrationError."""
        self._task = asyncio.create_task(self._live())
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                self._client, tools = await self._opened
        except TimeoutError:
            await self.close()
            raise IntegrationError(f"{self._name} did not answer within {START_TIMEOUT_S:g} s.") from None
        return tools

    async def call(self, tool: str, arguments: dict[str, Any]) -> "CallToolResult":
        """Call a tool. Raises ServerGone, or IntegrationError with what the server said."""
        from mcp import MCPError
        from mcp_types import CONNECTION_CLOSED

        if self._client is None:
            raise ServerGone(f"{self._name} is not running.")
        try:
            return await self._client.call_tool(tool, arguments)
        except MCPError as error:
            if error.code == CONNECTION_CLOSED:
                raise ServerGone(f"{self._name} ended while it was asked.") from error
            raise IntegrationError(f"{self._name} refused: {error.message}") from error
        except Exception as error:
            raise ServerGone(f"{self._name} cannot be reached: {_flatten(error)}") from error

    async def close(self) -> None:
        """Hang up; a program of ours is ended."""
        self._leave.set()
        self._client = None
        if self._task is not None:
            if not self._opened.done():
                self._task.cancel()
            await asyncio.wait([self._task])

    @property
    def _name(self) -> str:
        return f"The MCP server {self._config.name}"

    async def _live(self) -> None:
        try:
            async with AsyncExitStack() as stack:
                client = await stack.enter_async_context(await _make_client(self._config, self._log, stack))
                self._settle((client, await _list_tools(client)))
                await self._leave.wait()
        except asyncio.CancelledError:
            self._settle(IntegrationError(f"{self._name} was stopped while it started."))
        except BaseException as error:  # groups of the SDK's tasks, too
            self._settle(IntegrationError(f"{self._name} cannot be used: {_flatten(error)}"))

    def _settle(self, result: "tuple[Client, list[Tool]] | IntegrationError") -> None:
        if self._opened.done():
            return
        if isinstance(result, IntegrationError):
            self._opened.set_exception(result)
        else:
            self._opened.set_result(result)


async def _make_client(config: ServerConfig, log: Path, stack: AsyncExitStack) -> "AbstractAsyncContextManager[Client]":
    from mcp import Client, StdioServerParameters, stdio_client
    from mcp.client.streamable_http import streamable_http_client

    if config.command:
        parameters = StdioServerParameters(
            command=config.command, args=list(config.args), env=dict(config.env), cwd=config.cwd or None
        )
        log.parent.mkdir(parents=True, exist_ok=True)
        transport = stdio_client(parameters, errlog=stack.enter_context(log.open("w", encoding="utf-8")))
    else:
        http = await stack.enter_async_context(_make_http(config))
        transport = streamable_http_client(config.url, http_client=http)
    return Client(transport, read_timeout_seconds=None)


def _make_http(config: ServerConfig) -> Any:
    """A client that asks a server on this machine directly, whatever proxies the environment names."""
    import httpx2

    is_local = urlsplit(config.url).hostname in ("localhost", "127.0.0.1", "::1")
    timeout = httpx2.Timeout(30.0, read=300.0)
    return httpx2.AsyncClient(headers=dict(config.headers), timeout=timeout, trust_env=not is_local)


async def _list_tools(client: "Client") -> "list[Tool]":
    page = await client.list_tools()
    tools = list(page.tools)
    for _ in range(MAX_PAGES):
        if not page.next_cursor:
            break
        page = await client.list_tools(cursor=page.next_cursor)
        tools += page.tools
    return tools


def _flatten(error: BaseException) -> str:
    """The innermost error of groups of one."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return f"{str(error)[:300] or type(error).__name__}."
