"""What happens in a turn, as it is told while it happens."""

from dataclasses import dataclass

from heron.editor.tools.tool import ProposedEdit, Reference, Status
from heron.wire import Usage


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ReferenceUsed:
    """A place that was shown to the model."""

    reference: Reference


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """A call the model made; `arguments` is JSON text."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolEnded:
    """How a call ended; `text` is what the model is told."""

    id: str
    name: str
    status: Status
    text: str


@dataclass(frozen=True, slots=True)
class EditProposed:
    """A change that is offered to the user, not made."""

    edit: ProposedEdit


@dataclass(frozen=True, slots=True)
class FollowUps:
    """Questions the user may want to ask next."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UsageSoFar:
    """Token counts of a finished step; a turn that calls tools has several."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know: what was left out, what does not work."""

    text: str


@dataclass(frozen=True, slots=True)
class TurnError:
    """Why a turn failed; `code` is that of the HeronError."""

    code: str
    message: str


Event = TextDelta | ReferenceUsed | ToolStarted | ToolEnded | EditProposed | FollowUps | UsageSoFar | Notice | TurnError
