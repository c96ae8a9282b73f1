"""heron/commitMessage: a message for the changes of the workspace's repository."""

import asyncio
from typing import Any

from heron.editor.lsp.errors import rpc_errors
from heron.editor.lsp.ready_source import ReadySource
from heron.editor.lsp.scene import open_scene
from heron.editor.lsp.session import Session
from heron.errors import EditRefused

_TIME_S = 60.0
_NONE = "No changes."


async def answer_commit_message(session: Session, params: object) -> dict[str, Any]:
    """`{message}`: for what is staged, else for every change."""
    from heron.editor.features.actions.writer import Writer
    from heron.editor.features.commit_message import write_commit_message
    from heron.editor.tools.git_diff import GitDiff, git_diff

    with rpc_errors():
        scene = open_scene(session)
        staged = (await git_diff(GitDiff(is_staged=True), scene)).text
        diff = (await git_diff(GitDiff(), scene)).text if staged == _NONE else staged
        writer = Writer(ReadySource(session.chat_client, session.watch))
        try:
            async with asyncio.timeout(_TIME_S):
                return {"message": await write_commit_message("" if diff == _NONE else diff, (), writer)}
        except TimeoutError:
            raise EditRefused(f"The model took longer than {_TIME_S:.0f} s.") from None
