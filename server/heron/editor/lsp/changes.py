"""Keeping the diff since the last commit, which completions may show: made in the background, waited for by nobody."""

import asyncio
import logging

from heron.editor.lsp.session import Session
from heron.errors import HeronError

logger = logging.getLogger(__name__)

MAX_CHARACTERS = 200_000


def refresh_changes(session: Session) -> None:
    """A file was saved, or the session begins: ask git anew, unless that is under way."""
    wanted = session.settings.completion.enabled and session.settings.completion.context_tokens > 0
    if wanted and (session.diffing is None or session.diffing.done()):
        session.diffing = asyncio.create_task(_refresh(session))


async def _refresh(session: Session) -> None:
    from heron.editor.lsp.scene import open_scene
    from heron.editor.tools.git_diff import GitDiff, git_diff

    try:
        told = await git_diff(GitDiff(), open_scene(session))
        session.changes = told.text[:MAX_CHARACTERS]
    except HeronError as error:
        session.changes = ""
        logger.debug("No diff since the last commit: %s", error)
