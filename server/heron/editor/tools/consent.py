"""Who agrees to a call: the person, once or for the workspace, and what was remembered of that."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Answer = Literal["once", "always", "no", "never"]
"""`always` and `never` hold for the workspace from now on."""
_ARGUMENT_CHARS = 300


@dataclass(frozen=True, slots=True)
class ConsentQuestion:
    """A call that needs a person's word. `may_remember` is false where each call is asked anew."""

    tool: str
    description: str
    arguments: Mapping[str, Any]
    may_remember: bool

    @property
    def text(self) -> str:
        """The question for people: the tool and its arguments, long ones cut in their middle."""
        told = ", ".join(f"{name}: {_shorten(value)}" for name, value in self.arguments.items())
        return f"Let the model use {self.tool}" + (f" ({told})?" if told else "?")


Ask = Callable[[ConsentQuestion], Awaitable[Answer]]
Permit = Callable[[ConsentQuestion], Awaitable[bool]]


class Decisions(Protocol):
    """What was decided for a tool in one workspace; None where nothing was."""

    def recall(self, tool: str) -> bool | None: ...

    def remember(self, tool: str, allowed: bool) -> None: ...


async def refuse(question: ConsentQuestion) -> bool:
    """The answer where nobody can be asked."""
    return False


def remembering(ask: Ask, decisions: Decisions) -> Permit:
    """Ask, unless an earlier answer holds; keep answers that are meant to hold."""

    async def permit(question: ConsentQuestion) -> bool:
        kept = decisions.recall(question.tool) if question.may_remember else None
        if kept is not None:
            return kept
        answer = await ask(question)
        if question.may_remember and answer in ("always", "never"):
            decisions.remember(question.tool, answer == "always")
        return answer in ("once", "always")

    return permit


def _shorten(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    half = _ARGUMENT_CHARS // 2
    return text if len(text) <= _ARGUMENT_CHARS else f"{text[:half]} … {text[-half:]}"
