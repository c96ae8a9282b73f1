"""The chat of one editor, put together: where conversations are kept, who answers, what tools may see."""

from functools import partial

from heron.editor.context.estimate import estimate_tokens
from heron.editor.features.chat.chat import Chat
from heron.editor.features.chat.steps import Means
from heron.editor.features.chat.store import open_store
from heron.editor.lsp.consent import ask_user
from heron.editor.lsp.ready_source import ReadySource
from heron.editor.lsp.scene import open_scanned_scene
from heron.editor.lsp.session import Session
from heron.editor.tools.consent import remembering
from heron.settings import home_folder

STORE_NAME = "conversations.sqlite3"


def open_chat(session: Session) -> Chat:
    """The conversations of the session's workspace; those of no workspace belong together."""
    workspace = "\n".join(str(folder) for folder in session.workspace.folders)
    store = open_store(home_folder() / STORE_NAME, workspace, session.warn)
    permit = remembering(partial(ask_user, session.server), store)
    source = ReadySource(session.chat_client, session.watch)

    def means() -> Means:
        return Means(source, session.tools, permit, estimate_tokens, session.settings.chat)

    return Chat(store, means, partial(open_scanned_scene, session))
