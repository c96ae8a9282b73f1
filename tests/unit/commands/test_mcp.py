"""`heron mcp`: the real command, spoken to by the official client."""

import sys
from pathlib import Path

from mcp import Client, StdioServerParameters, stdio_client

from homes import environment


async def test_tools_are_offered_and_called_over_the_current_folder(heron_home: Path, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("needle = 1\n")
    (tmp_path / ".env").write_text("KEY=1")
    command = [sys.executable, "-m", "heron", "mcp"]
    parameters = StdioServerParameters(
        command=command[0], args=command[1:], env=environment(heron_home), cwd=str(tmp_path)
    )
    with (tmp_path / "errors").open("w") as errors:
        async with Client(stdio_client(parameters, errlog=errors)) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert set(tools) >= {"read_file", "grep", "symbol_search", "git_diff", "document_outline"}
            assert not set(tools) & {"apply_edit", "run_command", "open_documents"}
            assert tools["read_file"].annotations is not None
            assert tools["read_file"].annotations.read_only_hint
            found = await client.call_tool("grep", {"pattern": "needle"})
            assert [block.text for block in found.content if block.type == "text"] == ["a.py:1: needle = 1"]
            for refused in ({"path": ".env"}, {"path": "/etc/passwd"}, {"file": "a.py"}):
                assert (await client.call_tool("read_file", refused)).is_error
