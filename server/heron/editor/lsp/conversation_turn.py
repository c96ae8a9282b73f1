"""One turn of a conversation for a client: its question with attachments, its progress, its result."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from lsprotocol import types

from heron.editor.features.chat.attachments import (
    AttachedDiagnostics,
    AttachedFile,
    AttachedSelection,
    AttachedSymbol,
    Attachment,
)
from heron.editor.features.chat.conversation import Turn
from heron.editor.features.chat.events import Event, FollowUps, UsageSoFar
from heron.editor.features.chat.turn import TurnAsk
from heron.editor.lsp.conversation_events import Presenter, usage_value
from heron.editor.lsp.convert import to_range
from heron.editor.lsp.protocol_chat import AttachmentParams, TurnParams
from heron.editor.lsp.scene import find_document
from heron.editor.lsp.session import RunningTurn, Session
from heron.errors import HeronError, InvalidRequest
from heron.wire import Usage

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Stream:
    """Tells a turn's events by `$/progress`, and remembers what belongs into its result."""

    session: Session
    params: TurnParams
    turn_id: str
    presenter: Presenter
    follow_ups: tuple[str, ...] = ()
    usages: list[Usage] = field(default_factory=list)

    def begin(self) -> None:
        ids = {"conversationId": self.params.conversation_id, "turnId": self.turn_id}
        self._tell({"kind": "begin", "title": "Heron", "cancellable": True, **ids})

    def report(self, event: Event) -> None:
        if isinstance(event, FollowUps):
            self.follow_ups = event.texts
        else:
            if isinstance(event, UsageSoFar):
                self.usages.append(event.usage)
            self._tell({"kind": "report", **self.presenter.event(event)})

    def end(self, state: str, error: HeronError | None = None) -> None:
        told = {"error": {"code": error.code, "message": str(error)}} if error else {}
        self._tell({"kind": "end", "state": state, "followUps": list(self.follow_ups), "usage": self.usage(), **told})

    def usage(self) -> dict[str, Any] | None:
        """Of all steps together; the prompt and what was cached of it are those of the last."""
        if not self.usages:
            return None
        total = sum(usage.completion_tokens for usage in self.usages)
        return usage_value(self.usages[-1]) | {"completionTokens": total}

    def _tell(self, value: dict[str, Any]) -> None:
        if self.params.token is not None:
            params = types.ProgressParams(self.params.token, value)
            self.session.server.protocol.notify(types.PROGRESS, params)


async def answer_turn(session: Session, params: TurnParams) -> dict[str, Any]:
    """The finished turn. Its progress ends in any case, before the request is answered."""
    ask = make_ask(session, params)
    chat = session.chat
    chat.check(params.conversation_id, ask)
    stream = _Stream(session, params, ask.turn_id, make_presenter(session))
    with _running(session, params):
        stream.begin()
        try:
            turn = await chat.take_turn(params.conversation_id, ask, stream.report)
        except asyncio.CancelledError:
            stream.end("cancelled")
            raise
        except HeronError as error:
            stream.end("failed", error)
            raise
        except Exception as error:
            logger.exception("A chat turn failed")
            fault = HeronError("The turn failed; Heron's log has the cause.")
            stream.end("failed", fault)
            raise fault from error
        stream.end(turn.state)
        return _result(stream, turn)


def make_presenter(session: Session) -> Presenter:
    return Presenter(session.encoding, partial(find_document, session))


def _result(stream: _Stream, turn: Turn) -> dict[str, Any]:
    extra = {"followUps": list(stream.follow_ups), "usage": stream.usage()}
    return {"conversationId": stream.params.conversation_id, **stream.presenter.turn(turn), **extra}


@contextmanager
def _running(session: Session, params: TurnParams) -> Iterator[None]:
    """Let the current task be found by conversation and by progress token."""
    if params.token is not None and any(turn.token == params.token for turn in session.turns.values()):
        raise InvalidRequest(f"workDoneToken: {params.token!r} is in use by another turn.", param="workDoneToken")
    task = asyncio.current_task()
    assert task is not None
    session.turns[params.conversation_id] = RunningTurn(task, params.token)
    try:
        yield
    finally:
        del session.turns[params.conversation_id]


def make_ask(session: Session, params: TurnParams) -> TurnAsk:
    """A question in our terms. InvalidRequest for an attachment whose text cannot be had."""
    front = session.documents.get(params.front) if params.front else None
    attachments = [_attach(session, item) for item in params.attachments]
    if front and params.selection and params.selection.start != params.selection.end:
        range_ = to_range(front, params.selection, session.encoding)
        attachments.insert(0, AttachedSelection(front, range_))
    return TurnAsk(params.message, tuple(attachments), front)


def _attach(session: Session, item: AttachmentParams) -> Attachment:
    """An attachment in our terms; a range needs the text it is in."""
    if item.kind == "symbol":
        return AttachedSymbol(item.name)
    if item.range is None and item.kind != "selection":
        return AttachedDiagnostics(item.uri) if item.kind == "diagnostics" else AttachedFile(item.uri)
    document = find_document(session, item.uri)
    if document is None or item.range is None:
        why = "has no range" if item.range is None else "is not open and cannot be read"
        raise InvalidRequest(f"attachments: the {item.kind} of {item.uri[:200]!r} {why}.", param="attachments")
    range_ = to_range(document, item.range, session.encoding)
    if item.kind == "selection":
        return AttachedSelection(document, range_)
    return AttachedDiagnostics(item.uri, range_) if item.kind == "diagnostics" else AttachedFile(item.uri, range_)
