"""A tool of an MCP server as one of ours."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from heron.editor.tools.tool import Consent, Scene, ToolLimits, ToolResult
from heron.editor.tools.validation import MAX_DESCRIPTION_CHARS
from heron.errors import IntegrationError
from heron.wire import ToolSpec

if TYPE_CHECKING:
    from mcp_types import CallToolResult, Tool

LIMITS = ToolLimits(time_s=120.0)

Call = Callable[[str, dict[str, Any]], Awaitable["CallToolResult"]]


@dataclass(frozen=True, slots=True)
class McpTool:
    """`call` takes the server's own name of the tool; ours is led by the server's."""

    spec: ToolSpec
    consent: Consent
    own_name: str
    call: Call
    limits: ToolLimits = LIMITS

    async def run(self, arguments: Mapping[str, Any], scene: Scene) -> ToolResult:
        result = await self.call(self.own_name, dict(arguments))
        text = _read_text(result)
        if result.is_error:
            raise IntegrationError(text[: self.limits.output_chars] or f"{self.spec.name} failed.")
        return ToolResult(text)


def adopt_tool(server: str, tool: "Tool", call: Call) -> McpTool:
    """A server's tool; one it marks as only reading needs nobody's word."""
    description = (tool.description or tool.title or tool.name)[:MAX_DESCRIPTION_CHARS]
    spec = ToolSpec(f"{server}.{tool.name}", description, json.dumps(tool.input_schema))
    only_reads = tool.annotations is not None and tool.annotations.read_only_hint is True
    return McpTool(spec, "free" if only_reads else "ask", tool.name, call)


def _read_text(result: "CallToolResult") -> str:
    """The texts of a result; what a model cannot read is named."""
    if not result.content and result.structured_content is not None:
        return json.dumps(result.structured_content, ensure_ascii=False)
    return "\n".join(_read_block(block) for block in result.content)


def _read_block(block: Any) -> str:
    if block.type == "text":
        return str(block.text)
    if block.type == "resource" and hasattr(block.resource, "text"):
        return str(block.resource.text)
    return f"[{block.type} left out]"
