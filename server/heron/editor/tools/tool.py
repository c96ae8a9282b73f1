"""What a tool is: its specification, who must agree to a call, its limits, what it sees and what it gives back."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from heron.editor.diagnostic import Diagnostic
from heron.editor.document import Document, Range
from heron.errors import HeronError
from heron.wire import ToolSpec

if TYPE_CHECKING:
    from heron.editor.context.index.index import Index
    from heron.editor.workspace.folders import Workspace

Consent = Literal["free", "ask", "ask_each", "off"]
"""free: reads inside the workspace. ask: once, the answer may be remembered. ask_each: every time. off: not offered."""

Status = Literal["ok", "error", "refused"]


class ToolStopped(HeronError):
    """The call was cancelled or ran out of time while a tool worked in its thread."""

    code = "tool_stopped"


@dataclass(frozen=True, slots=True)
class ToolLimits:
    """Seconds a call may take, and characters of its text a model gets to see."""

    time_s: float = 10.0
    output_chars: int = 12_000


@dataclass(frozen=True, slots=True)
class Reference:
    """A place a tool's answer comes from; `path` is relative to its workspace folder."""

    path: str
    uri: str
    range: Range


@dataclass(frozen=True, slots=True)
class ProposedEdit:
    """A change offered, not made. `version` is that of the open document it was made for, None for one on disk."""

    uri: str
    version: int | None
    range: Range
    new_text: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool gives back: text for the model, where it comes from, edits for the person."""

    text: str
    references: tuple[Reference, ...] = ()
    edits: tuple[ProposedEdit, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """How a call ended. `text` is for the model whatever the status: a result, what went wrong, or who refused."""

    status: Status
    text: str
    references: tuple[Reference, ...] = ()
    edits: tuple[ProposedEdit, ...] = ()


def no_diagnostics(uri: str) -> tuple[Diagnostic, ...]:
    """What there is where nobody tells Heron of diagnostics."""
    return ()


@dataclass(frozen=True, slots=True)
class Scene:
    """What a tool may look at. `documents` are the open ones; `diagnostics` takes a URI.

    `stop` is set once nobody waits for the call any more; work in a thread asks `check` now and then.
    """

    workspace: "Workspace"
    documents: Callable[[], tuple[Document, ...]] = tuple
    diagnostics: Callable[[str], tuple[Diagnostic, ...]] = no_diagnostics
    index: "Index | None" = None
    stop: threading.Event = field(default_factory=threading.Event)

    def check(self) -> None:
        """Raise `ToolStopped` once the call was given up."""
        if self.stop.is_set():
            raise ToolStopped("The call was stopped.")


class Tool(Protocol):
    """One tool. `run` gets arguments that conform to `spec.parameters`; a HeronError it raises is told to the model."""

    @property
    def spec(self) -> ToolSpec: ...

    @property
    def consent(self) -> Consent: ...

    @property
    def limits(self) -> ToolLimits: ...

    async def run(self, arguments: Mapping[str, Any], scene: Scene) -> ToolResult: ...
