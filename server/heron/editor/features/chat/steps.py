"""The model's steps in one turn: it answers, or calls tools, is told their results, and goes on."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from heron.editor.client.chat_ask import ChatAsk
from heron.editor.features.chat.calls import Calls
from heron.editor.features.chat.events import Event, Notice, TextDelta, UsageSoFar
from heron.editor.features.chat.history import count_messages
from heron.editor.prompt.chat import INSIST, cut_text
from heron.editor.tools.consent import Permit
from heron.editor.tools.registry import Registry
from heron.editor.tools.tool import Reference
from heron.errors import InvalidRequest
from heron.settings import ChatSettings
from heron.wire import Delta, Message, ModelInfo, ToolCall, ToolSpec

Emit = Callable[[Event], None]
_MIN_RESULT_TOKENS = 64


class ChatSource(Protocol):
    """Who answers; `client.Client` is one."""

    def model(self) -> Awaitable[ModelInfo]: ...

    def chat(self, ask: ChatAsk) -> AsyncGenerator[Delta, None]: ...


@dataclass(frozen=True, slots=True)
class Means:
    """What a turn works with."""

    source: ChatSource
    registry: Registry
    permit: Permit
    count: Callable[[str], int]
    settings: ChatSettings


@dataclass(slots=True)
class Progress:
    """A turn as far as it has come; `messages` begin with the user's. `partial` is the text of the running step."""

    messages: list[Message]
    references: list[Reference] = field(default_factory=list)
    partial: str = ""

    def all_messages(self) -> tuple[Message, ...]:
        """The messages with what the running step has written."""
        return (*self.messages, Message("assistant", self.partial)) if self.partial else tuple(self.messages)


@dataclass(frozen=True, slots=True)
class Steps:
    """One turn's dealings with the model; everything that happens is told to `emit`."""

    means: Means
    calls: Calls
    emit: Emit

    async def run(self, before: Sequence[Message], progress: Progress, tools: tuple[ToolSpec, ...], room: int) -> None:
        """Let the model answer, and call `tools` on the way. `before` is the prompt's beginning, `room` its limit.

        A model that has made all its steps, or repeats itself after it was told so, is given no tools any more.
        """
        for step in range(self.means.settings.max_steps + 1):
            is_stuck = step == self.means.settings.max_steps or self.calls.num_repeated > 1
            offered = () if is_stuck else tools
            made = await self._ask_tolerantly(before, progress, offered)
            if not made:
                return await self._insist(before, progress, offered)
            left = room - count_messages((*before, *progress.messages), self.means.count)
            outcomes = await self.calls.run(made)
            share = max(_MIN_RESULT_TOKENS, left // len(made))
            for call, outcome in zip(made, outcomes, strict=True):
                text = cut_text(outcome.text, share, self.means.count)
                progress.messages.append(Message("tool", text, tool_call_id=call.id))

    async def _ask_tolerantly(
        self, before: Sequence[Message], progress: Progress, tools: tuple[ToolSpec, ...]
    ) -> tuple[ToolCall, ...]:
        """Stream a step. A server that refuses a turn's first request with tools is asked without."""
        try:
            return await self._ask((*before, *progress.messages), progress, tools)
        except InvalidRequest:
            if len(progress.messages) > 1 or not tools or progress.partial:
                raise
        self.emit(Notice("The server refused this; it is asked without tools."))
        return await self._ask((*before, *progress.messages), progress, ())

    async def _insist(self, before: Sequence[Message], progress: Progress, offered: tuple[ToolSpec, ...]) -> None:
        """Ask a model that ended its turn without a word once more, without tools; tell if it still has none."""
        if offered and not progress.messages[-1].content.strip():
            progress.messages.pop()
            nudge = [Message("user", INSIST)] if progress.messages[-1].role == "tool" else []
            await self._ask((*before, *progress.messages, *nudge), progress, ())
        if not progress.messages[-1].content.strip():
            self.emit(Notice("The model answered nothing."))

    async def _ask(
        self, messages: tuple[Message, ...], progress: Progress, tools: tuple[ToolSpec, ...]
    ) -> tuple[ToolCall, ...]:
        """Stream one step; its message is added, and its calls given."""
        settings = self.means.settings
        calls: list[ToolCall] = []
        usage = None
        async with aclosing(self.means.source.chat(ChatAsk(messages, tools, max_tokens=settings.max_tokens))) as deltas:
            async for delta in deltas:
                if delta.text:
                    progress.partial += delta.text
                    self.emit(TextDelta(delta.text))
                calls += delta.tool_calls
                usage = delta.usage or usage
        made = tuple(calls) if tools else ()
        progress.messages.append(Message("assistant", progress.partial, made))
        progress.partial = ""
        if usage:
            self.emit(UsageSoFar(usage))
        return made
