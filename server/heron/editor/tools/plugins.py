"""Tools of other installed packages: entry points of the group `heron.tools`, loaded when the first tool is needed.

An entry point names a `Tool` or a function without parameters that makes one. Foreign code may block or crash: it
works in a thread and on an event loop of its own.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from heron.editor.tools.threads import run_in_thread
from heron.editor.tools.tool import Consent, Scene, Tool, ToolLimits, ToolResult
from heron.errors import InvalidRequest
from heron.wire import ToolSpec

GROUP = "heron.tools"
_PARTS = ("spec", "consent", "limits", "run")


@dataclass(frozen=True, slots=True)
class ForeignTool:
    """A tool of another package; whatever it does to its thread and loop, ours go on."""

    inner: Tool
    spec: ToolSpec
    consent: Consent
    limits: ToolLimits

    async def run(self, arguments: Mapping[str, Any], scene: Scene) -> ToolResult:
        return await run_in_thread(partial(asyncio.run, self.inner.run(arguments, scene)))


@dataclass(frozen=True, slots=True)
class Plugin:
    """An entry point that was not loaded yet."""

    entry: EntryPoint

    @property
    def name(self) -> str:
        return f"{self.entry.name} ({self.entry.value})"

    def load(self) -> ForeignTool:
        """The tool; `InvalidRequest` says why there is none."""
        try:
            loaded = self.entry.load()
            tool = loaded if hasattr(loaded, "spec") and not isinstance(loaded, type) else loaded()
            return _wrap(tool)
        except InvalidRequest:
            raise
        except (Exception, SystemExit) as error:
            raise InvalidRequest(f"It cannot be loaded: {type(error).__name__}: {error}") from error


def find_plugins() -> Iterator[Plugin]:
    """The plugins of all installed packages by name; none is imported yet."""
    return map(Plugin, sorted(entry_points(group=GROUP), key=lambda entry: entry.name))


def _wrap(tool: Any) -> ForeignTool:
    if missing := [part for part in _PARTS if not hasattr(tool, part)]:
        raise InvalidRequest(f"It is no tool: it has no {', '.join(missing)}.")
    if not isinstance(tool.spec, ToolSpec) or not isinstance(tool.limits, ToolLimits):
        raise InvalidRequest("Its spec must be a heron.wire.ToolSpec, its limits a heron.editor.tools.tool.ToolLimits.")
    return ForeignTool(tool, tool.spec, tool.consent, tool.limits)
