"""The chunks of a chat stream, read into deltas; calls of tools are put together from their fragments.

OpenAI sends a call in pieces under an `index`, Heron's host whole, others whole without index or id, or several
under the same index. A fragment begins a new call if it brings another index, another id, or a name without either.
"""

import json
from dataclasses import dataclass
from typing import Any

from heron.editor.client.answers import read_delta
from heron.wire import Delta, FinishReason, ToolCall


@dataclass(slots=True)
class _Draft:
    """A call as far as it has come."""

    index: int | None
    id: str
    name: str
    arguments: str


class ChatReader:
    """Reads one stream, chunk by chunk. Calls come whole, with the last delta that has a finish reason."""

    def __init__(self) -> None:
        self._drafts: list[_Draft] = []
        self._num_calls = 0

    def read(self, body: Any) -> Delta:
        """One chunk. Raises the HeronError that an error event carries."""
        base = read_delta(body)
        choice = _first_choice(body)
        content = choice.get("delta", choice.get("message"))
        given: dict[str, Any] = content if isinstance(content, dict) else {}
        for fragment in _fragments(given):
            self._add(fragment)
        ended = base.finish_reason is not None
        calls = self._take_calls() if ended else ()
        finish = _finish_reason(choice.get("finish_reason"), bool(self._num_calls)) if ended else None
        return Delta(text=_text(given.get("content")), finish_reason=finish, usage=base.usage, tool_calls=calls)

    def end(self) -> tuple[Delta, ...]:
        """The calls of a stream that ended without a finish reason."""
        calls = self._take_calls()
        return (Delta(tool_calls=calls, finish_reason="tool_calls"),) if calls else ()

    def _take_calls(self) -> tuple[ToolCall, ...]:
        drafts = [draft for draft in self._drafts if draft.name]
        calls = tuple(
            ToolCall(draft.id or f"call_{number}", draft.name, draft.arguments.strip() or "{}")
            for number, draft in enumerate(drafts, self._num_calls)
        )
        self._num_calls += len(calls)
        self._drafts.clear()
        return calls

    def _add(self, fragment: dict[str, Any]) -> None:
        function = fragment.get("function")
        part: dict[str, Any] = function if isinstance(function, dict) else {}
        index, call_id, name = fragment.get("index"), _plain(fragment.get("id")), _plain(part.get("name"))
        number = index if isinstance(index, int) else None
        draft = self._find(number, call_id, name)
        if draft is None:
            draft = _Draft(number, call_id, "", "")
            self._drafts.append(draft)
        draft.id = draft.id or call_id
        draft.name = draft.name or name
        draft.arguments += _arguments(part.get("arguments"))

    def _find(self, index: int | None, call_id: str, name: str) -> _Draft | None:
        """The call that a fragment goes on with, None if it begins one."""
        if index is None and not call_id:
            return self._drafts[-1] if self._drafts and not name else None
        for draft in reversed(self._drafts):
            if (index is None or draft.index == index) and (not call_id or call_id == draft.id):
                return draft
        return None


def _first_choice(body: dict[str, Any]) -> dict[str, Any]:
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else {}


def _fragments(content: dict[str, Any]) -> list[dict[str, Any]]:
    calls = content.get("tool_calls")
    return [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []


def _finish_reason(told: Any, has_calls: bool) -> FinishReason:
    """Some servers say "stop" where a tool is to be called; what was called counts."""
    if told == "length":
        return "length"
    return "tool_calls" if has_calls else "stop"


def _text(content: Any) -> str:
    """Content that is a text, or parts of which some are."""
    if isinstance(content, list):
        return "".join(_plain(part.get("text")) for part in content if isinstance(part, dict))
    return _plain(content)


def _arguments(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict) else _plain(value)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else ""
