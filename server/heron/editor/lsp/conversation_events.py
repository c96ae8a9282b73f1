"""A turn's events and results as JSON, with positions in the client's units. `PROTOCOL.md` shows them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lsprotocol import types

from heron.editor.document import Document, Range
from heron.editor.features.chat.conversation import Conversation, Turn
from heron.editor.features.chat.events import (
    EditProposed,
    Event,
    FollowUps,
    Notice,
    ReferenceUsed,
    TextDelta,
    ToolEnded,
    ToolStarted,
    TurnError,
    UsageSoFar,
)
from heron.editor.lsp.convert import Encoding, from_position
from heron.editor.lsp.protocol_chat import plain_range
from heron.editor.tools.tool import ProposedEdit, Reference
from heron.wire import Usage

_SHOWN_RESULT_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class Presenter:
    """Writes what a turn gives for one client. `find` has the text of a URI, None if it cannot be had."""

    encoding: Encoding
    find: Callable[[str], Document | None]

    def event(self, event: Event) -> dict[str, Any]:
        """The members of one report."""
        match event:
            case TextDelta(text=text):
                return {"reply": text}
            case ReferenceUsed(reference=reference):
                return {"references": [self.reference(reference)]}
            case ToolStarted(id=id_, name=name, arguments=arguments):
                return {"tool": {"id": id_, "name": name, "state": "running", "arguments": arguments}}
            case ToolEnded(id=id_, name=name, status=status, text=text):
                return {"tool": {"id": id_, "name": name, "state": status, "result": text[:_SHOWN_RESULT_CHARS]}}
            case EditProposed(edit=edit):
                return {"edits": [self.edit(edit)]}
            case FollowUps(texts=texts):
                return {"followUps": list(texts)}
            case UsageSoFar(usage=usage):
                return {"usage": usage_value(usage)}
            case Notice(text=text):
                return {"notice": text}
            case TurnError(code=code, message=message):
                return {"error": {"code": code, "message": message}}

    def reference(self, reference: Reference) -> dict[str, Any]:
        return {"path": reference.path, "uri": reference.uri, "range": self._range(reference.uri, reference.range)}

    def edit(self, edit: ProposedEdit) -> dict[str, Any]:
        document = {"uri": edit.uri, "version": edit.version}
        return {"textDocument": document, "range": self._range(edit.uri, edit.range), "newText": edit.new_text}

    def turn(self, turn: Turn) -> dict[str, Any]:
        """A turn as a client shows it again."""
        return {
            "turnId": turn.id,
            "message": turn.question,
            "answer": turn.answer,
            "state": turn.state,
            "references": [self.reference(reference) for reference in turn.references],
        }

    def _range(self, uri: str, range_: Range) -> dict[str, Any]:
        """In code points where the text cannot be had, which is right for lines and for ASCII."""
        document = None if self.encoding is Encoding.Utf32 else self.find(uri)
        if document is None:
            return plain_range(range_)
        start, end = (from_position(document, place, self.encoding) for place in (range_.start, range_.end))
        return plain_range(types.Range(start, end))


def listed_value(conversation: Conversation) -> dict[str, Any]:
    return {
        "conversationId": conversation.id,
        "title": conversation.title,
        "createdAt": conversation.created_at,
        "updatedAt": conversation.updated_at,
        "numTurns": conversation.num_turns,
    }


def usage_value(usage: Usage) -> dict[str, Any]:
    return {
        "promptTokens": usage.prompt_tokens,
        "cachedTokens": usage.cached_tokens,
        "completionTokens": usage.completion_tokens,
    }
