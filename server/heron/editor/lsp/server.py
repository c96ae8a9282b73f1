"""The language server: which method is answered by which function, and serving it on stdin and stdout."""

import asyncio
import logging
import sys
from functools import partial
from typing import Any, NoReturn

from lsprotocol import types
from lsprotocol.converters import get_converter
from pygls.lsp.server import LanguageServer

from heron import __version__
from heron.editor.lsp import configuration, events, last_timings, lifecycle, protocol, synchronization
from heron.editor.lsp.gate import Gate
from heron.editor.lsp.inline_completion import answer_inline_completion
from heron.editor.lsp.session import Connect, Session
from heron.editor.lsp.stdio import PipeWriter, leave, read_messages, start_reader, take_stdout, watch_parent

logger = logging.getLogger(__name__)

METHODS: tuple[tuple[str, Any, Any], ...] = (
    (types.INITIALIZE, lifecycle.initialize, None),
    (types.INITIALIZED, lifecycle.initialized, None),
    (types.SHUTDOWN, lifecycle.shutdown, None),
    (types.TEXT_DOCUMENT_DID_SAVE, synchronization.save_document, types.SaveOptions(include_text=False)),
    (types.WORKSPACE_DID_CHANGE_CONFIGURATION, configuration.change_configuration, None),
    (types.TEXT_DOCUMENT_INLINE_COMPLETION, answer_inline_completion, types.InlineCompletionOptions()),
    (protocol.DID_SHOW_COMPLETION, events.note_shown, None),
    (protocol.DID_PARTIALLY_ACCEPT_COMPLETION, events.note_partly_accepted, None),
    (protocol.LAST_TIMINGS, last_timings.answer_last_timings, None),
)
"""Method, function, options of its capability."""

REPLACED = (
    (types.TEXT_DOCUMENT_DID_OPEN, synchronization.open_document),
    (types.TEXT_DOCUMENT_DID_CHANGE, synchronization.change_document),
    (types.TEXT_DOCUMENT_DID_CLOSE, synchronization.close_document),
)
"""pygls would keep documents too, rebuilding the text at each edit; ours take the place of its own."""


class HeronServer(LanguageServer):
    """pygls' server without its habit of telling the user of errors in popups."""

    def report_server_error(self, error: Exception, source: Any) -> None:
        logger.error("pygls reports %s: %s", getattr(source, "__name__", source), type(error).__name__)


def open_session(connect: Connect, writer: Any) -> tuple[Session, Gate]:
    """A server for one editor, and the gate its messages go in by. `writer` has pygls' `write(bytes)` and `close()`."""
    converter = get_converter()
    server = HeronServer("heron", __version__, converter_factory=lambda: converter)
    server.protocol.set_writer(writer)
    session = Session(server, connect)
    for method, function, options in METHODS:
        server.feature(method, options)(partial(function, session))
    for method, function in REPLACED:
        server.protocol.fm.add_builtin_feature(method, partial(function, session))
    return session, Gate(server, converter, writer.write)


def serve_stdio(connect: Connect) -> NoReturn:
    """Serve one editor until it says `exit`, closes stdin or is gone, then end the process.

    `connect` finds or starts the host; it is first called after `initialized`.
    """
    logging.getLogger("pygls").setLevel(logging.CRITICAL)  # its records carry payloads; what matters is logged here
    wire = take_stdout()

    async def run() -> NoReturn:
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
