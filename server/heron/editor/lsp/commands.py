"""workspace/executeCommand: the editor's chat commands, each a turn with the selection."""

from collections.abc import Mapping
from typing import Any

from lsprotocol import types

from heron.editor.lsp.errors import rpc_errors
from heron.editor.lsp.fields import read_fields
from heron.editor.lsp.progress import open_token
from heron.editor.lsp.protocol_chat import read_turn
from heron.editor.lsp.session import Session
from heron.editor.lsp.shown_answers import show_answer, wants_documents
from heron.editor.prompt.commands import COMMANDS, HELP, help_text
from heron.errors import InvalidRequest

CHAT_COMMANDS = tuple(f"heron.{name}" for name in COMMANDS)
_PREFIX = "heron."


async def execute_chat_command(session: Session, name: str, params: types.ExecuteCommandParams) -> dict[str, Any]:
    """Ask what the command asks for, in the conversation that is given or in a new one; the result is the turn's.

    The argument has the members of `conversation/turn`; `message` is what the user adds, and may be missing. In an
    editor that follows no answer but shows documents, the answer is opened as one.
    """
    with rpc_errors():
        token = {"workDoneToken": params.work_done_token} if params.work_done_token is not None else {}
        given = {**token, **_read_argument(params)}
        shows = wants_documents(session, given)
        command = name.removeprefix(_PREFIX)
        result = await _answer(session, command, given, shows)
        if shows:
            await show_answer(session, command, result)
        return result


async def _answer(session: Session, command: str, given: Mapping[str, Any], shows: bool) -> dict[str, Any]:
    from heron.editor.lsp.conversation_turn import answer_turn

    if command == HELP:
        return {"answer": help_text()}
    message = f"/{command} {read_fields(given).text('message', '')}".strip()
    conversation_id = read_fields(given).text("conversationId", "") or session.chat.create().id
    # Where nothing streams, a bar says that somebody is at work.
    token = await open_token(session.server) if shows else given.get("workDoneToken")
    asked = {**given, "workDoneToken": token, "conversationId": conversation_id, "message": message}
    return await answer_turn(session, read_turn(asked))


def _read_argument(params: types.ExecuteCommandParams) -> Mapping[str, Any]:
    arguments = params.arguments or []
    if len(arguments) > 1 or not all(isinstance(argument, Mapping) for argument in arguments):
        raise InvalidRequest("arguments must be a list of at most one object.", param="arguments")
    return dict(arguments[0] or {}) if arguments else {}
