"""The model as actions see it: a hole to fill, or a question with one answer."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Protocol

from heron.editor.client.chat_ask import ChatAsk
from heron.editor.client.client import Infill
from heron.editor.prompt.fim import render_fim
from heron.editor.workspace.redact import redact
from heron.errors import EditRefused
from heron.wire import Delta, ModelInfo


class Source(Protocol):
    """Who writes; `client.Client` is one."""

    def model(self) -> Awaitable[ModelInfo]: ...

    def complete(self, infill: Infill) -> AsyncGenerator[Delta, None]: ...

    def chat(self, ask: ChatAsk) -> AsyncGenerator[Delta, None]: ...


@dataclass(frozen=True, slots=True)
class Hole:
    """A text with a gap, and where the filling has to end. `is_complete` is asked after each piece of it."""

    prefix: str
    suffix: str
    max_tokens: int
    stop: tuple[str, ...] = ()
    is_complete: Callable[[str], bool] = lambda text: False


@dataclass(frozen=True, slots=True)
class Writer:
    """One action's access to the model, which sees no secrets. `report` is told what it has written so far."""

    source: Source
    report: Callable[[str], None] = lambda text: None

    async def fill(self, hole: Hole) -> str:
        """What the model puts into a hole."""
        model = await self.source.model()
        prefix, suffix = redact(hole.prefix), redact(hole.suffix)
        if model.supports_fim:
            infill = Infill(prefix, suffix, hole.max_tokens, hole.stop)
        else:
            infill = Infill(render_fim(model, prefix, suffix), None, hole.max_tokens, hole.stop)
        return (await self._read(self.source.complete(infill), hole.is_complete))[0]

    async def answer(self, ask: ChatAsk) -> str:
        """The whole text of an answer. Raises EditRefused if it did not fit into the ask's tokens."""
        safe = replace(ask, messages=tuple(replace(item, content=redact(item.content)) for item in ask.messages))
        text, ran_out = await self._read(self.source.chat(safe), lambda text: False)
        if ran_out:
            raise EditRefused(f"The model's answer was longer than {ask.max_tokens} tokens.")
        return text

    async def answer_object(self, ask: ChatAsk) -> dict[str, Any]:
        """The JSON object that answers an ask with a schema. Raises EditRefused if it is none."""
        text = await self.answer(ask)
        start, end = text.find("{"), text.rfind("}")
        try:
            value = json.loads(text[start : end + 1])
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise EditRefused("The model's answer is not the JSON object it was asked for.")
        return value

    async def _read(self, deltas: AsyncGenerator[Delta, None], is_complete: Callable[[str], bool]) -> tuple[str, bool]:
        text, ran_out = "", False
        async with aclosing(deltas):
            async for delta in deltas:
                text += delta.text
                ran_out = delta.finish_reason == "length"
                if delta.text:
                    self.report(text)
                if is_complete(text):
                    break
        return text, ran_out
