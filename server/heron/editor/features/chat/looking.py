"""A small model's own choice of what to look at: it is made to search, and what that finds is put before the question.

With tools, calls and results all in its window a model of 1.5B calls the functions a question names, repeats itself or
says nothing; made to choose one search, and then asked as after the gate, it answers (`tests/bench/README.md`).
"""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

from heron.editor.client.chat_ask import ChatAsk
from heron.editor.features.chat.calls import Calls
from heron.editor.features.chat.conversation import Turn
from heron.editor.features.chat.gather import Find
from heron.editor.features.chat.question import Question
from heron.editor.features.chat.steps import ChatSource
from heron.editor.prompt.chat import Passage, ask_where_to_look
from heron.editor.tools.registry import Registry
from heron.editor.tools.tool import ToolOutcome
from heron.wire import Message, ToolCall, ToolSpec

MAX_LOOKS = 3
_SEARCHES = ("symbol_search", "grep", "find_references", "list_directory")
_READS = ("read_file", "document_outline")
"""Need a path, which a small model makes up unless it has seen one."""
_CALL_TOKENS = 128


@dataclass(frozen=True, slots=True)
class Looking:
    """One turn's search. What is found counts as used: its places are told by `calls`."""

    source: ChatSource
    registry: Registry
    calls: Calls

    async def look(self, question: Question, earlier: Sequence[Turn]) -> list[Find]:
        """What the model chose to see; nothing for a question that is about nothing in the workspace."""
        if not (question.names or question.words or question.flags):
            return []
        messages = list(ask_where_to_look(question.text, earlier[-1].question if earlier else ""))
        finds: list[Find] = []
        for number in range(MAX_LOOKS):
            call = await self._choose(messages, self._offer(with_paths=number > 0))
            if call is None:
                return finds
            (outcome,) = await self.calls.run([call])
            messages += [Message("assistant", "", (call,)), Message("tool", outcome.text, tool_call_id=call.id)]
            if _shows_something(outcome):
                finds.append(Find(Passage("", 0, outcome.text, f"{call.name} {call.arguments}")))
            if self.calls.num_repeated or outcome.references:
                return finds  # code was shown, or the model has no other idea
        return finds

    def _offer(self, with_paths: bool) -> tuple[ToolSpec, ...]:
        names = (*_SEARCHES, *(_READS if with_paths else ()))
        return tuple(spec for spec in self.registry.specs() if spec.name in names)

    async def _choose(self, messages: Sequence[Message], tools: tuple[ToolSpec, ...]) -> ToolCall | None:
        """The call a model makes where it has to make one."""
        ask = ChatAsk(tuple(messages), tools, "required", max_tokens=_CALL_TOKENS)
        async with aclosing(self.source.chat(ask)) as deltas:
            async for delta in deltas:
                if delta.tool_calls:
                    return delta.tool_calls[0]
        return None


def _shows_something(outcome: ToolOutcome) -> bool:
    """Whether a result says more than that nothing was found. A list of files has no references, but lines."""
    return outcome.status == "ok" and (bool(outcome.references) or "\n" in outcome.text)
