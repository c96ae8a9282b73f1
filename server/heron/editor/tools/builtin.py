"""Heron's own tools, in the order a model is told of them."""

from heron.editor.tools.apply_edit import apply_edit
from heron.editor.tools.diagnostics import diagnostics
from heron.editor.tools.document_outline import document_outline
from heron.editor.tools.find_references import find_references
from heron.editor.tools.git_diff import git_diff
from heron.editor.tools.grep import grep
from heron.editor.tools.list_directory import list_directory
from heron.editor.tools.open_documents import open_documents
from heron.editor.tools.read_file import read_file
from heron.editor.tools.run_command import make_run_command
from heron.editor.tools.symbol_search import symbol_search
from heron.editor.tools.tool import Tool, ToolLimits
from heron.editor.tools.typed_tool import typed_tool
from heron.settings import ToolsSettings

COMMAND_SLACK_S = 30.0
"""Beyond a command's own time: the sandbox is made and taken down, and private files are looked for."""


def make_tools(settings: ToolsSettings) -> tuple[Tool, ...]:
    """All of them; run_command is off unless the settings allow it."""
    return (
        typed_tool(read_file),
        typed_tool(symbol_search),
        typed_tool(find_references),
        typed_tool(grep, limits=ToolLimits(time_s=20.0)),
        typed_tool(list_directory),
        typed_tool(document_outline),
        typed_tool(diagnostics),
        typed_tool(open_documents),
        typed_tool(git_diff, limits=ToolLimits(time_s=20.0)),
        typed_tool(apply_edit, "ask"),
        _make_run_command(settings),
    )


def _make_run_command(settings: ToolsSettings) -> Tool:
    time_s = settings.command_time_s
    limits = ToolLimits(time_s=time_s + COMMAND_SLACK_S)
    return typed_tool(make_run_command(time_s), "ask_each" if settings.run_command else "off", limits)
