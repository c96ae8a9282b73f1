"""initialize, initialized, shutdown."""

import asyncio

from lsprotocol import types

from heron.editor.lsp import popup_completion
from heron.editor.lsp.changes import refresh_changes
from heron.editor.lsp.configuration import apply_settings
from heron.editor.lsp.convert import Encoding
from heron.editor.lsp.session import Session


def initialize(session: Session, params: types.InitializeParams) -> None:
    """Take settings and position encoding. pygls, which answers, chooses the client's first offer, as we do."""
    apply_settings(session, params.initialization_options)
    session.encoding = Encoding(session.server.workspace.position_encoding)
    popup_completion.offer(session, params)


async def initialized(session: Session, params: types.InitializedParams) -> None:
    """Bring the host up in the background, and import what the first completion needs."""
    refresh_changes(session)
    session.start_indexing()  # before anything is waited for: a question that comes at once waits for the index
    if session.settings.completion.enabled:
        session.watch.check()
        await asyncio.to_thread(load_completions)


async def shutdown(session: Session, params: None) -> None:
    await session.close()


def load_completions() -> None:
    """Import what completions need, for a thread: it takes a tenth of a second."""
    from heron.editor.features import complete  # noqa: F401
    from heron.editor.workspace import redact

    redact.warm()
