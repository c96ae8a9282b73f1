"""A conversation and its turns, as they are kept."""

from dataclasses import dataclass
from typing import Literal

from heron.editor.prompt.chat import STOPPED_MARK
from heron.editor.tools.tool import Reference
from heron.wire import Message

TurnState = Literal["running", "complete", "cancelled", "failed", "interrupted"]
"""interrupted: the process ended while the turn ran."""
_TITLE_CHARS = 60
UNTITLED = "New conversation"


@dataclass(frozen=True, slots=True)
class Turn:
    """A question as the user wrote it, and the messages as the model saw and wrote them."""

    id: str
    question: str
    messages: tuple[Message, ...] = ()
    state: TurnState = "running"
    references: tuple[Reference, ...] = ()

    @property
    def answer(self) -> str:
        """What the model told the user, over all its steps."""
        told = (message.content for message in self.messages if message.role == "assistant" and message.content)
        return "\n\n".join(told)


@dataclass(frozen=True, slots=True)
class Conversation:
    """Times are in seconds since 1970. `turns` is empty in lists, `num_turns` is not."""

    id: str
    title: str
    created_at: float
    updated_at: float
    turns: tuple[Turn, ...] = ()
    num_turns: int = 0


def title_of(question: str) -> str:
    """A title from the first line of the first question."""
    line = next((line.strip() for line in question.splitlines() if line.strip()), UNTITLED)
    return line if len(line) <= _TITLE_CHARS else f"{line[: _TITLE_CHARS - 1].rstrip()}…"


def history_of(turn: Turn) -> tuple[Message, ...]:
    """A turn as later ones show it to the model; nothing of one that was not answered at all.

    What a stop cut off is consistent again: calls without their results are left out, and the stop is marked.
    """
    if not turn.answer:
        return ()
    if turn.state == "complete":
        return turn.messages
    last = max(number for number, message in enumerate(turn.messages) if message.role == "assistant")
    stopped = Message("assistant", f"{turn.messages[last].content}\n{STOPPED_MARK}".strip())
    return (*turn.messages[:last], stopped)
