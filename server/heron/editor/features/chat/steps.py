"""The model's steps in one turn: it answers, or calls tools, is told their results, and goes on."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from heron.editor.client.chat_ask import ChatAsk
from heron.editor.features.chat.events import (
    EditProposed,
    Event,
    Notice,
    ReferenceUsed,
    TextDelta,
    ToolEnded,
    ToolStarted,
    UsageSoFar,
)
from heron.editor.features.chat.history import count_messages
from heron.editor.prompt.chat import cut_text
from heron.editor.tools.consent import Permit
from heron.editor.tools.registry import Registry
from heron.editor.tools.tool import Reference, Scene, ToolOutcome
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
    scene: Scene
    emit: Emit

    async def run(self, before: Sequence[Message], progress: Progress, tools: tuple[ToolSpec, ...], room: int) -> None:
        """Let the model answer, and call `tools` on the way. `before` is the prompt's beginning, `room` its limit."""
        for step in range(self.means.settings.max_steps + 1):
            offered = tools if step < self.means.settings.max_steps else ()
            try:
                calls = await self._ask((*before, *progress.messages), progress, offered)
            except InvalidRequest:
                if step or not tools or progress.partial:
                    raise
                self.emit(Notice("The server refused this; it is asked without tools."))
                calls = await self._ask((*before, *progress.messages), progress, ())
            if not calls:
                return await self._insist(before, progress, offered)
            left = room - count_messages((*before, *progress.messages), self.means.count)
            outcomes = await self._run_calls(calls)
            share = max(_MIN_RESULT_TOKENS, left // len(calls))
            for call, outcome in zip(calls, outcomes, strict=True):
                text = cut_text(outcome.text, share, self.means.count)
                progress.messages.append(Message("tool", text, tool_call_id=call.id))
                self._note(outcome, progress)

    async def _insist(self, before: Sequence[Message], progress: Progress, offered: tuple[ToolSpec, ...]) -> None:
        """Ask a model that ended its turn without a word once more, without tools; tell if it still has none."""
        if offered and not progress.messages[-1].content.strip():
            progress.messages.pop()
            await self._ask((*before, *progress.messages), progress, ())
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

    async def _run_calls(self, calls: Sequence[ToolCall]) -> list[ToolOutcome]:
        """Calls that only read run at once; those that need a person's word one after the other, in their order."""
        free = {number: call for number, call in enumerate(calls) if self.means.registry.is_free(call.name)}
        outcomes = dict(zip(free, await asyncio.gather(*map(self._run_call, free.values())), strict=True))
        for number, call in enumerate(calls):
            if number not in free:
                outcomes[number] = await self._run_call(call)
        return [outcomes[number] for number in range(len(calls))]

    async def _run_call(self, call: ToolCall) -> ToolOutcome:
        self.emit(ToolStarted(call.id, call.name, call.arguments))
        outcome = await self.means.registry.run(call, self.scene, self.means.permit)
        self.emit(ToolEnded(call.id, call.name, outcome.status, outcome.text))
        return outcome

    def _note(self, outcome: ToolOutcome, progress: Progress) -> None:
        for reference in outcome.references:
            if reference not in progress.references:
                progress.references.append(reference)
                self.emit(ReferenceUsed(reference))
        for edit in outcome.edits:
            self.emit(EditProposed(edit))
