"""The conversation methods and what their messages hold; `PROTOCOL.md` shows them."""

from dataclasses import dataclass
from typing import Any

from lsprotocol import types

from heron.editor.document import Range
from heron.editor.lsp.fields import Fields, read_fields
from heron.errors import InvalidRequest

CREATE = "conversation/create"
TURN = "conversation/turn"
WARM = "conversation/warm"
DESTROY = "conversation/destroy"
LIST = "conversation/list"
RENAME = "conversation/rename"
DELETE = "conversation/delete"

ATTACHMENT_KINDS = ("selection", "file", "symbol", "diagnostics")
MAX_LISTED = 1000


@dataclass(frozen=True, slots=True)
class AttachmentParams:
    """One attachment: `uri` for all kinds but symbol, which has a `name`; `range` in the client's units."""

    kind: str
    uri: str = ""
    name: str = ""
    range: types.Range | None = None


@dataclass(frozen=True, slots=True)
class TurnParams:
    """A question. `front` is the document the user is in and `selection` what is selected there."""

    conversation_id: str
    message: str
    token: str | int | None = None
    front: str = ""
    selection: types.Range | None = None
    attachments: tuple[AttachmentParams, ...] = ()


@dataclass(frozen=True, slots=True)
class CreateParams:
    """A conversation to resume, or the title of a new one; either may be empty."""

    conversation_id: str
    title: str


@dataclass(frozen=True, slots=True)
class RenameParams:
    conversation_id: str
    title: str


def read_create(params: object) -> CreateParams:
    fields = read_fields(params)
    return CreateParams(fields.text("conversationId", ""), fields.text("title", ""))


def read_id(params: object) -> str:
    return read_fields(params).text("conversationId")


def read_limit(params: object) -> int:
    return read_fields(params).number("limit", 50, (1, MAX_LISTED))


def read_rename(params: object) -> RenameParams:
    fields = read_fields(params)
    return RenameParams(fields.text("conversationId"), fields.text("title"))


def read_turn(params: object) -> TurnParams:
    return _read_turn(read_fields(params), None)


def read_draft(params: object) -> TurnParams:
    """A question that is being written: its message may be missing."""
    return _read_turn(read_fields(params), "")


def _read_turn(fields: Fields, message: str | None) -> TurnParams:
    document = fields.child("textDocument")
    return TurnParams(
        fields.text("conversationId"),
        fields.text("message", message),
        fields.token("workDoneToken"),
        document.text("uri") if document else "",
        fields.range("selection"),
        tuple(read_attachment(item) for item in fields.children("attachments")),
    )


def read_attachment(fields: Fields) -> AttachmentParams:
    kind = fields.text("kind")
    if kind not in ATTACHMENT_KINDS:
        allowed = ", ".join(ATTACHMENT_KINDS)
        raise InvalidRequest(f"{fields.place}.kind: {kind[:80]!r} is not one of {allowed}.", param=fields.place)
    if kind == "symbol":
        return AttachmentParams(kind, name=fields.text("name"))
    return AttachmentParams(kind, uri=fields.text("uri"), range=fields.range("range"))


def plain_range(range_: Range | types.Range) -> dict[str, Any]:
    """A range as JSON."""
    if isinstance(range_, types.Range):
        sides = ((range_.start.line, range_.start.character), (range_.end.line, range_.end.character))
    else:
        sides = ((range_.start.line, range_.start.column), (range_.end.line, range_.end.column))
    start, end = ({"line": line, "character": character} for line, character in sides)
    return {"start": start, "end": end}
