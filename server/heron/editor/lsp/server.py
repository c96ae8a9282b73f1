"""The language server: which method is answered by which function, and serving it on stdin and stdout."""

import asyncio
import logging
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from lsprotocol import types
from lsprotocol.converters import get_converter
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from heron import __version__
from heron.editor.lsp import (
    code_action,
    commit_message,
    configuration,
    context,
    conversation,
    cursor,
    diagnostics,
    edit,
    events,
    last_timings,
    lifecycle,
    model,
    protocol,
    protocol_chat,
    synchronization,
    watched_files,
)
from heron.editor.lsp.commands import CHAT_COMMANDS, execute_chat_command
from heron.editor.lsp.gate import Gate
from heron.editor.lsp.inline_completion import answer_inline_completion
from heron.editor.lsp.pauses import shorten_pauses
from heron.editor.lsp.session import Connect, Session
from heron.editor.lsp.stdio import PipeWriter, leave, read_messages, start_reader, take_stdout, watch_parent

if TYPE_CHECKING:
    from heron.editor.features.chat.chat import Chat

logger = logging.getLogger(__name__)

METHODS: tuple[tuple[str, Any, Any], ...] = (
    (types.INITIALIZE, lifecycle.initialize, None),
    (types.INITIALIZED, lifecycle.initialized, None),
    (types.SHUTDOWN, lifecycle.shutdown, None),
    (types.TEXT_DOCUMENT_DID_SAVE, synchronization.save_document, types.SaveOptions(include_text=False)),
    (types.WORKSPACE_DID_CHANGE_CONFIGURATION, configuration.change_configuration, None),
    (types.WORKSPACE_DID_CHANGE_WATCHED_FILES, watched_files.change_files, None),
    (types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, watched_files.change_folders, None),
    (types.TEXT_DOCUMENT_INLINE_COMPLETION, answer_inline_completion, types.InlineCompletionOptions()),
    (types.TEXT_DOCUMENT_CODE_ACTION, code_action.answer_code_action, code_action.OPTIONS),
    (types.CODE_ACTION_RESOLVE, code_action.resolve_code_action, None),
    (protocol.CONTEXT, context.answer_context, None),
    (protocol.EDIT, edit.answer_edit, None),
    (protocol.MODEL, model.answer_model, None),
    (protocol.CHAT, model.answer_chat, None),
    (protocol.COMMIT_MESSAGE, commit_message.answer_commit_message, None),
    (protocol.DID_SHOW_COMPLETION, events.note_shown, None),
    (protocol.DID_PARTIALLY_ACCEPT_COMPLETION, events.note_partly_accepted, None),
    (protocol.DID_DISMISS_COMPLETION, events.note_dismissed, None),
    (protocol.DID_CHANGE_CURSOR, cursor.change_cursor, None),
    (protocol.DID_CHANGE_DIAGNOSTICS, diagnostics.change_diagnostics, None),
    (protocol.LAST_TIMINGS, last_timings.answer_last_timings, None),
    (protocol_chat.CREATE, conversation.create, None),
    (protocol_chat.TURN, conversation.turn, None),
    (protocol_chat.WARM, conversation.warm, None),
    (protocol_chat.DESTROY, conversation.destroy, None),
    (protocol_chat.LIST, conversation.list_kept, None),
    (protocol_chat.RENAME, conversation.rename, None),
    (protocol_chat.DELETE, conversation.delete, None),
    (types.WINDOW_WORK_DONE_PROGRESS_CANCEL, conversation.cancel_progress, None),
)
"""Method, function, options of its capability."""

REPLACED = (
    (types.TEXT_DOCUMENT_DID_OPEN, synchronization.open_document),
    (types.TEXT_DOCUMENT_DID_CHANGE, synchronization.change_document),
    (types.TEXT_DOCUMENT_DID_CLOSE, synchronization.close_document),
)
"""pygls would keep documents too, rebuilding the text at each edit; ours take the place of its own."""

COMMANDS: tuple[tuple[str, Any], ...] = (
    *((name, execute_chat_command) for name in CHAT_COMMANDS),
    (code_action.RUN_ACTION, code_action.run_action),
    (events.ACCEPTED, events.note_accepted),
)
"""Command of workspace/executeCommand, and the function that is given the session, its name and the params."""


class HeronServer(LanguageServer):
    """pygls' server without its habit of telling the user of errors in popups."""

    def report_server_error(self, error: Exception, source: Any) -> None:
        logger.error("pygls reports %s: %s", getattr(source, "__name__", source), type(error).__name__)


def open_session(connect: Connect, writer: Any) -> tuple[Session, Gate]:
    """A server for one editor, and the gate its messages go in by. `writer` has pygls' `write(bytes)` and `close()`."""
    converter = get_converter()
    server = HeronServer("heron", __version__, converter_factory=lambda: converter)
    server.protocol.set_writer(writer)
    session = Session(server, connect, _open_chat)
    for method, function, options in METHODS:
        server.feature(method, options)(partial(function, session))
    for method, function in REPLACED:
        server.protocol.fm.add_builtin_feature(method, partial(function, session))
    _offer_commands(session)
    return session, Gate(server, converter, writer.write)


def _open_chat(session: Session) -> "Chat":
    """The session's chat, whose import an editor that starts should not wait for."""
    from heron.editor.lsp.chat import open_chat

    return open_chat(session)


def _offer_commands(session: Session) -> None:
    """Register the commands. pygls' own dispatch knows neither params nor how to be cancelled; ours takes its place."""
    functions = dict(COMMANDS)
    for name in functions:
        session.server.command(name)(partial(functions[name], session, name))

    async def execute(params: types.ExecuteCommandParams) -> Any:
        if params.command not in functions:
            raise JsonRpcInvalidParams(f"Heron has no command {params.command!r}. Known: {', '.join(functions)}.")
        return await functions[params.command](session, params.command, params)

    session.server.protocol.fm.add_builtin_feature(types.WORKSPACE_EXECUTE_COMMAND, execute)


def serve_stdio(connect: Connect) -> NoReturn:
    """Serve one editor until it says `exit`, closes stdin or is gone, then end the process.

    `connect` finds or starts the host; it is first called after `initialized`.
    """
    logging.getLogger("pygls").setLevel(logging.CRITICAL)  # its records carry payloads; what matters is logged here
    wire = take_stdout()

    async def run() -> NoReturn:
        shorten_pauses(asyncio.get_running_loop())
        leave(await serve(connect, sys.stdin.fileno(), wire))

    asyncio.run(run())
    raise AssertionError("leave() ends the process")


async def serve(connect: Connect, source: int, target: int) -> int:
    """Serve one editor over two file descriptors; the exit code is 0 only if `shutdown` was asked for."""
    broken = asyncio.Event()
    loop = asyncio.get_running_loop()
    writer = PipeWriter(target, partial(loop.call_soon_threadsafe, broken.set))
    session, gate = open_session(connect, writer)
    reasons = (
        read_messages(gate, start_reader(source)),
        broken.wait(),
        watch_parent(lambda: session.server.process_id),
    )
    tasks = [asyncio.ensure_future(reason) for reason in reasons]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await session.close()
    writer.close()
    return 0 if gate.phase == "shutdown" else gate.exit_code
