"""An MCP server for the tests: on stdio, or with an argument by HTTP on a free port, which it prints."""

import asyncio
import os
import sys
from typing import Any

import mcp_types as types
from mcp.server import Server

OBJECT = {"type": "object", "properties": {"text": {"type": "string"}}}
READS = types.ToolAnnotations(read_only_hint=True)
TOOLS = {
    "echo": types.Tool(name="echo", description="Say it again.", input_schema=OBJECT, annotations=READS),
    "write": types.Tool(name="write", description="Change something.", input_schema=OBJECT),
    "die": types.Tool(name="die", description="End the server.", input_schema=OBJECT, annotations=READS),
    "hang": types.Tool(name="hang", description="Never answer.", input_schema=OBJECT, annotations=READS),
    "fail": types.Tool(name="fail", description="Fail.", input_schema=OBJECT, annotations=READS),
    "huge": types.Tool(name="huge", description="Say 5 MB.", input_schema=OBJECT, annotations=READS),
    "bad schema": types.Tool(name="bad schema", description="A name with a space.", input_schema=OBJECT),
}


async def list_tools(context: Any, params: Any) -> types.ListToolsResult:
    return types.ListToolsResult(tools=list(TOOLS.values()))


async def call_tool(context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
    text = (params.arguments or {}).get("text", "")
    match params.name:
        case "die":
            os._exit(3)
        case "hang":
            await asyncio.Event().wait()
        case "fail":
            return types.CallToolResult(content=[types.TextContent(text="It failed on purpose.")], is_error=True)
        case "huge":
            text = "x" * 5_000_000
    return types.CallToolResult(content=[types.TextContent(text=f"{text} ({os.getpid()})")])


SERVER: Server[Any] = Server("for-tests", on_list_tools=list_tools, on_call_tool=call_tool)


async def serve_stdio() -> None:
    from mcp.server.stdio import stdio_server

    async with stdio_server() as (reader, writer):
        await SERVER.run(reader, writer, SERVER.create_initialization_options())


async def serve_http() -> None:
    import uvicorn

    config = uvicorn.Config(SERVER.streamable_http_app(), host="127.0.0.1", port=0, log_level="warning")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.wait([serving], timeout=0.01)
    sys.stdout.write(f"{server.servers[0].sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await serving


if __name__ == "__main__":
    asyncio.run(serve_http() if len(sys.argv) > 1 else serve_stdio())
