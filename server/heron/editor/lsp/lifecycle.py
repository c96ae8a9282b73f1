"""initialize, initialized, shutdown."""

import asyncio

from lsprotocol import types

from heron.editor.lsp.configuration import apply_settings
from heron.editor.lsp.convert import Encoding
from heron.editor.lsp.session import Session


def initialize(session: Session, params: types.InitializeParams) -> None:
    """Take settings and position encoding. pygls, which answers, chooses the client's first offer, as we do."""
    apply_settings(session, params.initialization_options)
    session.encoding = Encoding(session.server.workspace.position_encoding)


async def initialized(session: Session, params: types.InitializedParams) -> None:
    """Bring the host up in the background, and import what the first completion needs."""
    session.start_indexing()  # before anything is waited for: a question that comes at once waits for the index
    if session.settings.completion.enabled:
        session.watch.check()
        await asyncio.to_thread(_load_completions)


async def shutdown(session: Session, params: None) -> None:
    await session.close()


def _load_completions() -> None:
    from heron.editor.features import complete  # noqa: F401
    from heron.editor.workspace import redact

    redact.warm()
