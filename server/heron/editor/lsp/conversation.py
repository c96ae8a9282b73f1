"""conversation/*: chat over LSP. A turn streams by `$/progress`, and its request is answered when it ends.

What answers is imported at first use: an editor that starts should not wait for it.
"""

import asyncio
from typing import Any

from lsprotocol import types

from heron.editor.lsp import protocol_chat as protocol
from heron.editor.lsp.errors import rpc_errors
from heron.editor.lsp.session import Session


def create(session: Session, params: object) -> dict[str, Any]:
    """Begin a conversation, or go on with one that is kept; the result has its turns."""
    from heron.editor.lsp.conversation_events import listed_value
    from heron.editor.lsp.conversation_turn import make_presenter

    with rpc_errors():
        wanted = protocol.read_create(params)
        chat = session.chat
        conversation = chat.resume(wanted.conversation_id) if wanted.conversation_id else chat.create(wanted.title)
        presenter = make_presenter(session)
        return listed_value(conversation) | {"turns": [presenter.turn(turn) for turn in conversation.turns]}


async def turn(session: Session, params: object) -> dict[str, Any]:
    """Ask a question. The documents are taken as they are when the request comes."""
    from heron.editor.lsp.conversation_turn import answer_turn

    with rpc_errors():
        return await answer_turn(session, protocol.read_turn(params))


async def warm(session: Session, params: object) -> None:
    """Read ahead for a question that is being written; answered at once, and nothing where warming is switched off."""
    from heron.editor.lsp.conversation_turn import make_ask

    with rpc_errors():
        wanted = protocol.read_draft(params)
        session.chat.resume(wanted.conversation_id)
        draft = make_ask(session, wanted)
        if session.settings.completion.warm:
            session.chat.warm(wanted.conversation_id, draft)


async def destroy(session: Session, params: object) -> None:
    """End a conversation in this editor, and a turn that runs in it; it stays in the list."""
    with rpc_errors():
        conversation_id = protocol.read_id(params)
        session.chat.resume(conversation_id)
        await _end_turn(session, conversation_id)
        session.chat.leave(conversation_id)


def list_kept(session: Session, params: object) -> dict[str, Any]:
    """The conversations of the workspace, the one that changed last first."""
    from heron.editor.lsp.conversation_events import listed_value

    with rpc_errors():
        found = session.chat.latest(protocol.read_limit(params))
        return {"conversations": [listed_value(conversation) for conversation in found]}


def rename(session: Session, params: object) -> None:
    with rpc_errors():
        wanted = protocol.read_rename(params)
        session.chat.rename(wanted.conversation_id, wanted.title)


async def delete(session: Session, params: object) -> None:
    """Delete a conversation for good, and end a turn that runs in it."""
    with rpc_errors():
        conversation_id = protocol.read_id(params)
        session.chat.resume(conversation_id)
        await _end_turn(session, conversation_id)
        session.chat.delete(conversation_id)


def cancel_progress(session: Session, params: types.WorkDoneProgressCancelParams) -> None:
    """End the turn whose progress the user cancelled; its request is answered as cancelled."""
    for running in list(session.turns.values()):
        if running.token == params.token:
            running.task.cancel()


async def _end_turn(session: Session, conversation_id: str) -> None:
    running = session.turns.get(conversation_id)
    if running is not None:
        running.task.cancel()
        await asyncio.wait({running.task})
