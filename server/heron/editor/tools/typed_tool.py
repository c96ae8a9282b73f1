"""Tools from plain functions: name, description and parameters are read from the function and its argument class."""

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, get_type_hints

from heron.editor.tools.arguments import arguments_schema, build_arguments
from heron.editor.tools.threads import run_in_thread
from heron.editor.tools.tool import Consent, Scene, ToolLimits, ToolResult
from heron.wire import ToolSpec

A = TypeVar("A")
Work = Callable[[A, Scene], ToolResult] | Callable[[A, Scene], Awaitable[ToolResult]]


@dataclass(frozen=True, slots=True)
class TypedTool:
    """A function with its specification. A plain function works in a thread, a coroutine function on the loop."""

    spec: ToolSpec
    consent: Consent
    limits: ToolLimits
    arguments: type
    work: Callable[[Any, Scene], Any]

    async def run(self, arguments: Mapping[str, Any], scene: Scene) -> ToolResult:
        work = partial(self.work, build_arguments(self.arguments, arguments), scene)
        result: ToolResult = await (work() if inspect.iscoroutinefunction(self.work) else run_in_thread(work))
        return result


def typed_tool(work: Work[A], consent: Consent = "free", limits: ToolLimits | None = None) -> TypedTool:
    """The tool `work` is: called by the function's name, with the dataclass of its first parameter as arguments."""
    kind = next(iter(get_type_hints(work).values()))
    spec = ToolSpec(work.__name__, inspect.getdoc(kind) or "", json.dumps(arguments_schema(kind)))
    return TypedTool(spec, consent, limits or ToolLimits(), kind, work)
