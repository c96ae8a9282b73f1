"""Settings of the editor: initializationOptions and workspace/didChangeConfiguration."""

import logging
from collections.abc import Mapping

from lsprotocol import types

from heron.editor.lsp.session import Session
from heron.errors import InvalidSettings
from heron.settings import Settings, load_settings

logger = logging.getLogger(__name__)


async def change_configuration(session: Session, params: types.DidChangeConfigurationParams) -> None:
    """Take new settings; a server to be reached in another way than before is found anew."""
    if params.settings == {}:  # Emacs' eglot sends it to every server: it has nothing to say, and asks for no defaults
        return
    before = session.settings
    apply_settings(session, params.settings)
    if (session.settings.index, session.settings.context) != (before.index, before.context):
        session.start_indexing()
    if session.settings.tools != before.tools:
        await session.drop_tools()
    if session.settings.host != before.host:
        await session.reconnect()
    elif session.settings.completion.enabled and not session.watch.is_ready:
        session.watch.check()


def apply_settings(session: Session, values: object) -> None:
    """Take an editor's settings, plain or below a key `heron`; bad ones are told of and the defaults stay."""
    session.settings = _load(session, values)


def _load(session: Session, values: object) -> Settings:
    if isinstance(values, Mapping) and "heron" in values:
        values = values["heron"]
    try:
        if values is not None and not isinstance(values, Mapping):
            raise InvalidSettings(f"Heron's settings are not a table: {values!r}.")
        return load_settings(values or {})
    except InvalidSettings as error:
        logger.warning("%s", error)
        message = f"Heron: {error} The defaults are used."
        session.server.window_show_message(types.ShowMessageParams(types.MessageType.Warning, message))
        return Settings()
