"""The tools a model may call, each checked when it is added; calls are checked, agreed to and run within limits."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from heron.editor.tools.consent import ConsentQuestion, Permit, refuse
from heron.editor.tools.perform import perform
from heron.editor.tools.tool import Scene, Tool, ToolOutcome
from heron.editor.tools.validation import Check, check_tool
from heron.errors import InvalidRequest
from heron.wire import ToolCall, ToolSpec


@dataclass(frozen=True, slots=True)
class _Entry:
    tool: Tool
    check: Check


class Registry:
    """Tools by name. Not for several threads; calls may run at the same time."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def add(self, tool: Tool) -> None:
        """Add a tool; `InvalidRequest` names what is wrong with it, or that its name is taken."""
        check = check_tool(tool)
        if tool.spec.name in self._entries:
            raise InvalidRequest(f"There is a tool {tool.spec.name!r} already.")
        self._entries[tool.spec.name] = _Entry(tool, check)

    def remove(self, name: str) -> None:
        """Forget a tool; nothing happens if there is none of that name."""
        self._entries.pop(name, None)

    def specs(self) -> tuple[ToolSpec, ...]:
        """What a model is told: the tools that are not off, in the order they were added."""
        return tuple(entry.tool.spec for entry in self._entries.values() if entry.tool.consent != "off")

    def find(self, name: str) -> Tool | None:
        entry = self._entries.get(name)
        return entry.tool if entry else None

    def is_free(self, name: str) -> bool:
        """Whether a call needs nobody's word, so that several may run at once."""
        tool = self.find(name)
        return tool is not None and tool.consent == "free"

    async def run(self, call: ToolCall, scene: Scene, permit: Permit = refuse) -> ToolOutcome:
        """Run a model's call. Every end but cancelling is an outcome, with a text the model can act on.

        `permit` is asked where the tool needs a person's word; the tool's time does not run meanwhile.
        """
        entry = self._entries.get(call.name)
        if entry is None:
            return ToolOutcome("error", self._describe_unknown(call.name))
        try:
            arguments = entry.check(call.arguments)
        except InvalidRequest as error:
            return ToolOutcome("error", str(error))
        if refusal := await _ask_permit(entry.tool, arguments, permit):
            return ToolOutcome("refused", refusal)
        return await perform(entry.tool, arguments, scene)

    def _describe_unknown(self, name: str) -> str:
        known = [spec.name for spec in self.specs()]
        close = difflib.get_close_matches(name, known, n=1)
        return f"There is no tool {name[:100]!r}. " + (
            f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known)}."
        )


async def _ask_permit(tool: Tool, arguments: Mapping[str, Any], permit: Permit) -> str:
    """Why the call may not be made; empty if it may."""
    name = tool.spec.name
    if tool.consent == "free":
        return ""
    if tool.consent == "off":
        return f"{name} is switched off in the settings."
    question = ConsentQuestion(name, tool.spec.description, arguments, may_remember=tool.consent == "ask")
    return "" if await permit(question) else f"The user did not allow {name}."
