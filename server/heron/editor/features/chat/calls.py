"""The calls of one turn: run, told, and none made twice."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from heron.editor.features.chat.events import EditProposed, Event, ReferenceUsed, ToolEnded, ToolStarted
from heron.editor.tools.consent import Permit
from heron.editor.tools.registry import Registry
from heron.editor.tools.tool import Reference, Scene, ToolOutcome
from heron.wire import ToolCall

Emit = Callable[[Event], None]
MAX_AT_ONCE = 8
"""Calls of one step that are run; a small model that may write calls without end does."""
_REPEATED = "You made this call before: its result is above and would be the same. Answer the question."
_TOO_MANY = f"At most {MAX_AT_ONCE} calls at once."


@dataclass(slots=True)
class Calls:
    """Runs a turn's calls. `references` grows by what they show; `num_repeated` counts those that were refused for it.

    A call that only reads gives the same again, so it is not made twice. What asks for consent may be: a command's
    result changes, and each time somebody is asked.
    """

    registry: Registry
    permit: Permit
    scene: Scene
    emit: Emit
    references: list[Reference]
    num_repeated: int = field(default=0, init=False)
    _made: set[tuple[str, str]] = field(default_factory=set, init=False)

    async def run(self, calls: Sequence[ToolCall]) -> list[ToolOutcome]:
        """Calls that only read run at once; those that need a person's word one after the other, in their order."""
        refusals = [self._refuse(number, call) for number, call in enumerate(calls)]
        free = [number for number, call in enumerate(calls) if self.registry.is_free(call.name)]
        running = [self._run_one(calls[number], refusals[number]) for number in free]
        outcomes = dict(zip(free, await asyncio.gather(*running), strict=True))
        for number, call in enumerate(calls):
            if number not in outcomes:
                outcomes[number] = await self._run_one(call, refusals[number])
        return [self._note(outcomes[number]) for number in range(len(calls))]

    def _refuse(self, number: int, call: ToolCall) -> str:
        """Why a call is not made; empty if it is."""
        key = (call.name, _canonical(call.arguments))
        if self.registry.is_free(call.name) and key in self._made:
            self.num_repeated += 1
            return _REPEATED
        self._made.add(key)
        return _TOO_MANY if number >= MAX_AT_ONCE else ""

    async def _run_one(self, call: ToolCall, refusal: str) -> ToolOutcome:
        self.emit(ToolStarted(call.id, call.name, call.arguments))
        ran = ToolOutcome("refused", refusal) if refusal else await self._perform(call)
        self.emit(ToolEnded(call.id, call.name, ran.status, ran.text))
        return ran

    async def _perform(self, call: ToolCall) -> ToolOutcome:
        return await self.registry.run(call, self.scene, self.permit)

    def _note(self, outcome: ToolOutcome) -> ToolOutcome:
        for reference in outcome.references:
            if reference not in self.references:
                self.references.append(reference)
                self.emit(ReferenceUsed(reference))
        for edit in outcome.edits:
            self.emit(EditProposed(edit))
        return outcome


def _canonical(arguments: str) -> str:
    """JSON text that is the same for the same arguments, however they were written."""
    try:
        return json.dumps(json.loads(arguments or "{}"), sort_keys=True)
    except (ValueError, RecursionError):
        return arguments
