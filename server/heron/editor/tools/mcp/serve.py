"""Heron's own tools as an MCP server on stdin and stdout."""

import json
from typing import TYPE_CHECKING, Any

from heron import __version__
from heron.editor.tools.consent import ConsentQuestion
from heron.editor.tools.registry import Registry
from heron.editor.tools.tool import Scene
from heron.wire import ToolCall

if TYPE_CHECKING:
    from mcp.server import Server


async def serve_tools(registry: Registry, scene: Scene) -> None:
    """Serve until the client hangs up. Asking the person is the client's part, as MCP has it."""
    from mcp.server.stdio import stdio_server

    server = make_server(registry, scene)
    async with stdio_server() as (reader, writer):
        await server.run(reader, writer, server.create_initialization_options())


def make_server(registry: Registry, scene: Scene) -> "Server[Any]":
    """The server, not yet connected to anything."""
    import mcp_types as types
    from mcp.server import Server

    tools = [_describe_tool(registry, spec.name) for spec in registry.specs()]

    async def list_tools(context: Any, params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(tools=tools)

    async def call_tool(context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        call = ToolCall("", params.name, json.dumps(params.arguments or {}))
        outcome = await registry.run(call, scene, _permit)
        content = types.TextContent(text=outcome.text)
        return types.CallToolResult(content=[content], is_error=outcome.status != "ok")

    return Server("heron", version=__version__, on_list_tools=list_tools, on_call_tool=call_tool)


async def _permit(question: ConsentQuestion) -> bool:
    return True


def _describe_tool(registry: Registry, name: str) -> Any:
    import mcp_types as types

    tool = registry.find(name)
    assert tool is not None, "specs() lists what is there"
    hints = types.ToolAnnotations(read_only_hint=tool.consent == "free", open_world_hint=False)
    schema = json.loads(tool.spec.parameters)
    return types.Tool(name=name, description=tool.spec.description, input_schema=schema, annotations=hints)
